// What the flags of speculative decoding mean, and which do not go together.
import { describe, expect, it } from 'vitest';
import { readSpeculation, type SpeculationFlags } from './speculation-flags.ts';

it('who guesses, and how much', () => {
  expect(readSpeculation({})).toBeUndefined();
  expect(readSpeculation({ specType: 'none' })).toBeUndefined();
  expect(readSpeculation({ modelDraft: 'small', draftMax: '8', draftMin: '0', draftPMin: '.75' })).toMatchObject({
    ...{ types: ['draft-simple'], maxDrafts: 8, minDrafts: 0, minProbability: 0.75 },
  });
  expect(readSpeculation({ specType: 'ngram-simple,draft-mtp', specNgramSizeN: '4' })).toMatchObject({
    types: ['ngram-simple', 'draft-mtp'],
    ngramSize: 4,
  });
});

describe('refused', () => {
  it.each<[string, SpeculationFlags, RegExp]>([
    ['an unknown kind', { specType: 'eagle' }, /knows no 'eagle'/],
    ['a kind twice', { specType: 'draft-mtp,draft-mtp' }, /twice/],
    ['no draft model', { specType: 'draft-simple' }, /needs a draft model/],
    ['a draft model for nobody', { specType: 'none', modelDraft: 'small' }, /is not used/],
    ['a number for nobody', { draftMax: '4' }, /--draft-max .*nobody does/],
    ['a number of models for n-grams', { specType: 'ngram-simple', draftPMin: '0.5' }, /--draft-p-min/],
    ['a number of n-grams for draft blocks', { specType: 'draft-mtp', specNgramSizeM: '5' }, /--spec-ngram-size-m/],
    ['no probability', { specType: 'draft-mtp', draftPMin: '2' }, /from 0 to 1/],
    ['no count', { specType: 'draft-mtp', draftMax: '0' }, /--draft-max/],
  ])('%s', (_, flags, message) => {
    expect(() => readSpeculation(flags)).toThrow(message);
  });
});
