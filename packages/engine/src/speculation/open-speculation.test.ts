// Speculation as it is asked for: which settings go together, which models, and the way through the worker.
import { fileURLToPath } from 'node:url';
import { openModel } from '@quern/models';
import { describe, expect, it } from 'vitest';
import { openCore } from '../open-core.ts';
import { draftRows, resolveSpeculation, type SpeculationOptions } from './options.ts';
import { requireSameVocabulary } from './same-vocabulary.ts';

const pathOf = (name: string) => fileURLToPath(new URL(`../../../../test/models/${name}`, import.meta.url));
const sizes = { contextTokens: 48, maxSequences: 2, batchTokens: 16, threads: 1 };

const reply = async (speculation?: SpeculationOptions) => {
  const { core, info, dispose } = await openCore({ modelPath: pathOf('arch/qwen35'), ...sizes, speculation });
  const tokens: number[] = [];
  core.submit(Int32Array.of(5, 9, 100), { maxTokens: 12, sampling: { temperature: 0 } }, (outcome) => {
    if ('event' in outcome && 'token' in outcome.event) tokens.push(outcome.event.token);
  });
  while (!core.idle) await core.step();
  const { stats } = core;
  await dispose();
  return { tokens, stats, info };
};

describe('an engine that guesses', () => {
  it('with draft blocks, or with a model beside it, replies as one that does not', async () => {
    const plain = await reply();
    expect(plain.stats.speculation).toBeUndefined();
    expect(plain.info.speculation).toBeUndefined();
    for (const speculation of [
      { types: ['draft-mtp'] },
      { types: ['ngram-simple', 'draft-simple'], draftModelPath: pathOf('arch/qwen35'), ngramSize: 2 },
    ] as const) {
      const guessed = await reply(speculation);
      expect(guessed.tokens).toEqual(plain.tokens);
      expect(guessed.stats.speculation!.guessed).toBeGreaterThan(0);
      expect(guessed.info.speculation!.types).toEqual(speculation.types);
      const beside = guessed.info.speculation!.summary;
      if ('draftModelPath' in speculation) expect(beside).toContain('blocks 0-3');
      else expect([beside, guessed.info.summary]).toEqual([undefined, expect.stringContaining('draft block')]);
    }
  });

  it('refuses a draft model of another vocabulary, and draft blocks that are not there', async () => {
    const start = (modelPath: string, speculation: SpeculationOptions) =>
      openCore({ modelPath, ...sizes, speculation });
    await expect(
      start(pathOf('tiny-llama'), { types: ['draft-simple'], draftModelPath: pathOf('arch/llama3') }),
    ).rejects.toMatchObject({ code: 'draft-vocabulary-differs', file: pathOf('arch/llama3') });
    await expect(start(pathOf('arch/llama3'), { types: ['draft-mtp'] })).rejects.toMatchObject({
      code: 'no-draft-blocks',
    });
  });
});

describe('vocabularies', () => {
  it('may differ in a few tokens at the end, and in the first five', async () => {
    const view = await openModel(pathOf('arch/llama3'));
    const tokens = view.metadata.get('tokenizer.ggml.tokens')!.value as string[];
    const withTokens = (changed: readonly string[], kind = 'gpt2') => ({
      ...view,
      metadata: new Map([
        ...view.metadata,
        ['tokenizer.ggml.tokens', { type: 'array', of: 'string', value: changed }],
        ['tokenizer.ggml.model', { type: 'string', value: kind }],
      ]) as typeof view.metadata,
    });
    const more = Array.from({ length: 128 }, (_, i) => `more ${i}`);
    const fits = [tokens, [...tokens, ...more], tokens.slice(0, -128), ['a', 'b', 'c', 'd', 'e', ...tokens.slice(5)]];
    for (const changed of fits) requireSameVocabulary(view, withTokens(changed));
    const wrong = [
      withTokens([...tokens, ...more, 'one more']),
      withTokens(tokens.slice(0, -129)),
      withTokens(tokens.with(5, 'another')),
      withTokens(tokens.with(-1, 'another')),
      withTokens(tokens, 'llama'),
    ];
    for (const small of wrong)
      expect(() => requireSameVocabulary(view, small)).toThrow(
        expect.objectContaining({ code: 'draft-vocabulary-differs' }),
      );
    await view.close();
  });
});

describe('settings', () => {
  it.each<[string, SpeculationOptions]>([
    ['no draft model', { types: ['draft-simple'] }],
    ['a draft model for nobody', { types: ['ngram-simple'], draftModelPath: 'x' }],
    ['a kind twice', { types: ['draft-mtp', 'draft-mtp'] }],
    ['an unknown kind', { types: ['eagle' as 'draft-mtp'] }],
    ['no guesses', { types: ['draft-mtp'], maxDrafts: 0 }],
    ['half a guess', { types: ['draft-mtp'], maxDrafts: 1.5 }],
    ['a probability above one', { types: ['draft-mtp'], minProbability: 1.1 }],
    ['nothing to look up', { types: ['ngram-simple'], ngramSize: 0 }],
  ])('are refused: %s', (_, options) => {
    expect(() => resolveSpeculation(options)).toThrow(expect.objectContaining({ code: 'engine-option-invalid' }));
  });

  it('bound the rows of logits by what they can use and what memory they take', () => {
    const rows = (options: SpeculationOptions, sequences: number) => draftRows(resolveSpeculation(options), sequences);
    expect(rows({ types: ['draft-mtp'], maxDrafts: 4 }, 3)).toBe(12);
    expect(rows({ types: ['ngram-simple'], maxDrafts: 4 }, 1)).toBe(48);
    expect(rows({ types: ['ngram-simple'] }, 16)).toBe(48);
    expect(rows({ types: [] }, 16)).toBe(0);
  });
});
