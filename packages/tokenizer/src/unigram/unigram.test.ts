// The search against all cuts of a text, and what damaged files are refused with. Whole tokenizers are compared with the
// tokenizers library and llama.cpp in test/golden/unigram.test.ts.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tokenizerViewFromHf } from '../huggingface/metadata-from-hf.ts';
import { tokenTypes } from '../tokenizer.ts';
import { base64Of } from './base64.ts';
import { CharacterMap } from './character-map.ts';
import { Unigram } from './unigram.ts';

const unknown = 0;

function vocabularyOf(pieces: readonly (readonly [text: string, score: number])[]) {
  const all: readonly (readonly [string, number])[] = [['<unk>', 0], ...pieces];
  return {
    texts: all.map(([text]) => text),
    scores: Float32Array.from(all, ([, score]) => score),
    types: Int32Array.from(all, (_, id) => (id === unknown ? tokenTypes.unknown : tokenTypes.normal)),
  };
}

describe('Unigram', () => {
  it('finds the cut with the highest sum of scores', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'é', '😀'), minLength: 1, maxLength: 3 });
    const pieces = fc.uniqueArray(fc.tuple(letters, fc.integer({ min: -20, max: -1 })), {
      selector: ([text]) => text,
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(pieces, fc.string({ unit: fc.constantFrom('a', 'b', 'é', '😀'), maxLength: 8 }), (list, text) => {
        const vocabulary = vocabularyOf(list);
        const scores = new Map(list);
        const worst = Math.min(...scores.values()) - 10;
        const best = (rest: string): number => {
          if (rest === '') return 0;
          const [first] = Array.from(rest) as [string, ...string[]];
          const known = [...scores].filter(([piece]) => rest.startsWith(piece));
          const options = known.map(([piece, score]) => score + best(rest.slice(piece.length)));
          if (!scores.has(first)) options.push(worst + best(rest.slice(first.length)));
          return Math.max(...options);
        };
        const ids: number[] = [];
        new Unigram(vocabulary, unknown).encode(text, ids);
        // Unknown neighbours are one token: what lies between known ones is counted by its characters.
        let at = 0;
        let sum = 0;
        for (const [i, id] of ids.entries()) {
          if (id !== unknown) {
            sum += vocabulary.scores[id]!;
            at += vocabulary.texts[id]!.length;
            continue;
          }
          const next = ids[i + 1];
          const end = next === undefined ? text.length : text.indexOf(vocabulary.texts[next]!, at + 1);
          sum += worst * Array.from(text.slice(at, end)).length;
          at = end;
        }
        if (!ids.some((id, i) => id === unknown && ids[i + 1] !== undefined)) expect(sum).toBeCloseTo(best(text), 5);
      }),
    );
  });

  it('takes a long text in time', () => {
    const ids: number[] = [];
    new Unigram(
      vocabularyOf([
        ['a', -1],
        ['aa', -1.5],
        ['a'.repeat(16), -3],
      ]),
      unknown,
    ).encode('a'.repeat(200_000), ids);
    expect(ids.length).toBe(12_500);
  });
});

describe('a character map', () => {
  const units = (...values: number[]) => new Uint8Array(Uint32Array.from(values).buffer);

  it.each([
    ['no bytes', new Uint8Array(0)],
    ['a trie beyond the end', units(400, 0)],
    ['a trie of no whole units', new Uint8Array([3, 0, 0, 0, 1, 1, 1, 0])],
  ])('is refused: %s', (_, bytes) => {
    expect(() => new CharacterMap(bytes)).toThrow(expect.objectContaining({ code: 'character-map-malformed' }));
  });

  it('is refused when its trie or a result leads nowhere', () => {
    const away = new CharacterMap(new Uint8Array([...units(4, 1 << 18), 0]));
    expect(() => away.shortest(new Uint8Array([65]))).toThrow(/trie leads to unit/);
  });
});

describe('tokenizer.json', () => {
  const model = {
    type: 'Unigram',
    unk_id: 0,
    vocab: [
      ['<unk>', 0],
      ['▁a', -1],
    ] as [string, unknown][],
  };
  const metaspace = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true };
  const read = (json: object) =>
    tokenizerViewFromHf(
      {
        readText: async (name) => (name === 'tokenizer.json' ? JSON.stringify(json) : undefined),
        readBytes: async () => undefined,
      },
      {},
    );

  it.each<[string, object, string]>([
    ['scores that are no numbers', { model: { ...model, vocab: [['<unk>', 'x']] } }, 'tokenizer-json-malformed'],
    ['no token for unknown characters', { model: { ...model, unk_id: null } }, 'tokenizer-kind-unsupported'],
    ['unknown characters as bytes', { model: { ...model, byte_fallback: true } }, 'tokenizer-kind-unsupported'],
    [
      'a damaged character map',
      { model, normalizer: { type: 'Precompiled', precompiled_charsmap: base64Of(new Uint8Array([1, 2])) } },
      'character-map-malformed',
    ],
    [
      'a character map that is not base64',
      { model, normalizer: { type: 'Precompiled', precompiled_charsmap: '%%%' } },
      'tokenizer-json-malformed',
    ],
  ])('is refused with %s', async (_, json, code) => {
    await expect(read({ pre_tokenizer: metaspace, ...json })).rejects.toMatchObject({ code });
  });

  it('with steps that SentencePiece has not runs, and no file says so', async () => {
    const view = await read({ model, pre_tokenizer: metaspace, normalizer: { type: 'Lowercase' } });
    expect(view.get('quern.tokenizer.refused')?.value).toMatch(/Lowercase/);
  });
});
