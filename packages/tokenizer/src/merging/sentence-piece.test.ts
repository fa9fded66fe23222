import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tokenTypes } from '../tokenizer.ts';
import { TextIndex } from '../vocabulary/text-index.ts';
import type { Vocabulary } from '../vocabulary/vocabulary.ts';
import { SentencePiece } from './sentence-piece.ts';

type Token = [text: string, score: number, type?: number];

function vocabularyOf(tokens: readonly Token[]): Vocabulary {
  return {
    texts: tokens.map(([text]) => text),
    scores: Float32Array.from(tokens, ([, score]) => score),
    types: Int32Array.from(tokens, ([, , type]) => type ?? tokenTypes.normal),
    idOf: new TextIndex(tokens.map(([text]) => text)),
  };
}

function encode(vocabulary: Vocabulary, text: string): string[] {
  const ids: number[] = [];
  new SentencePiece(vocabulary).encode(text, ids);
  return ids.map((id) => vocabulary.texts[id] as string);
}

const bytes = Array.from({ length: 256 }, (_, byte): Token => {
  return [`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`, 0, tokenTypes.byte];
});

/** The definition, on texts: merge the neighbours whose joined text is the token with the highest score. */
function encodeByDefinition(vocabulary: Vocabulary, text: string): string[] {
  const word = Array.from(text.replaceAll(' ', '▁'));
  const score = (at: number) => {
    const id = vocabulary.idOf.get(`${word[at]}${word[at + 1]}`);
    return id === undefined || vocabulary.types[id] !== tokenTypes.normal
      ? Number.NEGATIVE_INFINITY
      : vocabulary.scores[id];
  };
  for (;;) {
    let best = -1;
    for (let i = 0; i + 1 < word.length; i++) {
      if ((score(i) as number) > (best < 0 ? Number.NEGATIVE_INFINITY : (score(best) as number))) best = i;
    }
    if (best < 0) break;
    word.splice(best, 2, `${word[best]}${word[best + 1]}`);
  }
  return word.flatMap((piece) => {
    const id = vocabulary.idOf.get(piece);
    if (id !== undefined && vocabulary.types[id] === tokenTypes.normal) return [piece];
    return Array.from(new TextEncoder().encode(piece), (byte) => (bytes[byte] as Token)[0]);
  });
}

describe('SentencePiece', () => {
  it('merges any vocabulary as the definition says, tokens that span words and unknown characters included', () => {
    const letter = fc.constantFrom('a', 'b', 'é', '▁', '𝒳');
    const token = fc.tuple(
      fc.array(letter, { minLength: 1, maxLength: 4 }).map((letters) => letters.join('')),
      fc.integer({ min: -5, max: 0 }),
    );
    const text = fc
      .array(fc.constantFrom('a', 'b', 'é', ' ', '𝒳', 'z'), { maxLength: 20 })
      .map((letters) => letters.join(''));
    fc.assert(
      fc.property(fc.uniqueArray(token, { selector: ([name]) => name, maxLength: 20 }), text, (tokens, input) => {
        const vocabulary = vocabularyOf([...bytes, ...tokens]);
        expect(encode(vocabulary, input)).toEqual(encodeByDefinition(vocabulary, input));
      }),
      { numRuns: 2000 },
    );
  });

  it('does not make control or byte tokens of text', () => {
    const vocabulary = vocabularyOf([
      ...bytes,
      ['</s>', 0, tokenTypes.control],
      ['</', -1],
      ['</s', -2],
      ...['<', '/', 's', '>', '0', 'x', 'A'].map((text): Token => [text, -9]),
      ['<0', -3],
      ['<0x', -3],
      ['<0x0', -3],
      ['<0x0A', -3],
    ]);
    expect(encode(vocabulary, '</s>')).toEqual(['</s', '>']);
    expect(encode(vocabulary, '<0x0A>')).toEqual(['<0x0A', '>']);
  });

  it('names a character that the vocabulary cannot write', () => {
    const vocabulary = vocabularyOf([['a', 0]]);
    expect(() => encode(vocabulary, 'aé')).toThrow(expect.objectContaining({ code: 'tokenizer-byte-missing' }));
  });

  it('refuses tokens so long that listing their merges would not end', () => {
    const vocabulary = vocabularyOf([['a'.repeat(2000), 0]]);
    expect(() => new SentencePiece(vocabulary)).toThrow(expect.objectContaining({ code: 'tokenizer-token-too-long' }));
  });
});
