// Token ids as a person or a program writes them: `1,2,3`, `1 2 3`, one per line, or a JSON list.
import { QuernError } from '@quern/errors';

/**
 * @param place file the text came from, for messages
 * @throws QuernError `token-ids-invalid` naming the first item that is no id; `token-ids-empty`
 */
export function parseTokenIds(text: string, place: { file?: string } = {}): Int32Array {
  const items = text
    .trim()
    .replace(/^\[|\]$/g, '')
    .split(/[\s,]+/)
    .filter(Boolean);
  const wrong = items.find((item) => !/^\d{1,9}$/.test(item));
  if (wrong !== undefined) {
    throw new QuernError('token-ids-invalid', `${JSON.stringify(wrong.slice(0, 40))} is no token id.`, {
      ...place,
      remedy: 'Write whole numbers from 0, separated by spaces, commas or line ends, or a JSON list.',
    });
  }
  if (items.length === 0) throw new QuernError('token-ids-empty', 'There are no token ids.', place);
  return Int32Array.from(items, Number);
}

/** @throws QuernError `token-out-of-vocabulary` with the position and the numbers */
export function requireInVocabulary(ids: Int32Array, vocabSize: number): void {
  const at = ids.findIndex((id) => id >= vocabSize);
  if (at < 0) return;
  throw new QuernError(
    'token-out-of-vocabulary',
    `Token ${ids[at]} at position ${at} is not in the vocabulary of ${vocabSize} tokens.`,
  );
}
