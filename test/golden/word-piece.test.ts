// WordPiece against the tokenizers library: words of odd texts (data/word-piece), and ids of a vocabulary of 512.
import { readFileSync } from 'node:fs';
import { findPlace } from '@quern/checkpoint';
import { openTokenizer } from '@quern/models';
import { describe, expect, it } from 'vitest';
import { wordsOf } from '../../packages/tokenizer/src/word-piece/word-piece.ts';
import { checkpointOf } from './forward/architectures.ts';

interface Words {
  texts: string[];
  cases: { lowercase: boolean; stripAccents: boolean; words: string[][] }[];
}
const { texts, cases } = JSON.parse(
  readFileSync(new URL('data/word-piece/words.json', import.meta.url), 'utf8'),
) as Words;

describe.each(cases)('lowercase $lowercase, without accents $stripAccents', ({ words, ...options }) => {
  it.each(texts.map((text, i) => [text, words[i]]))('%j', (text, expected) => {
    expect(wordsOf(text as string, options)).toEqual(expected);
  });
});

const bert = checkpointOf('bert');
describe.skipIf(!bert)('the tokenizer of a checkpoint (skipped without one of bert)', () => {
  it.each([
    ['Wherefore art thou Romeo? xyzzyq é', [2, 247, 333, 422, 59, 90, 204, 14, 1, 19, 3]],
    ['a'.repeat(101), [2, 1, 3]],
  ])('%s', async (text, ids) => {
    const { tokenizer } = await openTokenizer(await findPlace(bert!, {}));
    expect([...tokenizer.encode(text, { addSpecial: true })]).toEqual(ids);
  });
});
