// Calibration samples from a list of texts (AutoAWQ utils/calib_data.py get_calib_dataset): each text is stripped and
// encoded by itself, special tokens of the tokenizer included; empty ones and those longer than a sequence are left out;
// the first `samples` of the rest are joined and cut into sequences. A tail shorter than a sequence is left out.
import { QuernError } from '@quern/errors';
import type { Tokenizer } from '@quern/tokenizer';

export interface SampleOptions {
  /** Most texts that are used. */
  readonly samples: number;
  /** Tokens per sequence. */
  readonly sequenceTokens: number;
  /** What to call the list in errors. */
  readonly file: string;
}

/**
 * [sequenceTokens] each.
 * @throws QuernError `calibration-empty`, `text-too-short` with the numbers
 */
export function listSamples(tokenizer: Tokenizer, texts: readonly string[], options: SampleOptions): Int32Array[] {
  const { samples, sequenceTokens, file } = options;
  const encoded: Int32Array[] = [];
  for (const text of texts) {
    if (encoded.length === samples) break;
    if (text.trim() === '') continue;
    const ids = tokenizer.encode(text.trim(), { addSpecial: true, parseSpecial: true });
    if (ids.length <= sequenceTokens) encoded.push(Int32Array.from(ids));
  }
  if (texts.every((text) => text.trim() === ''))
    throw new QuernError('calibration-empty', 'The list has no text, or empty ones only.', {
      file,
      remedy: 'Give texts of what the model is for.',
    });
  if (encoded.length === 0)
    throw new QuernError('calibration-empty', `No text of the ${texts.length} has 1 to ${sequenceTokens} tokens.`, {
      file,
      remedy: 'Give texts that fit into one sequence, or raise --seq-len.',
    });
  const total = encoded.reduce((sum, ids) => sum + ids.length, 0);
  const count = Math.floor(total / sequenceTokens);
  if (count === 0)
    throw new QuernError(
      'text-too-short',
      `The ${encoded.length} texts used have ${total} tokens together; one sequence has ${sequenceTokens}.`,
      { file, remedy: 'Use more or longer texts, raise --samples, or lower --seq-len.' },
    );
  const joined = new Int32Array(total);
  let end = 0;
  for (const ids of encoded) {
    joined.set(ids, end);
    end += ids.length;
  }
  return Array.from({ length: count }, (_, i) => joined.slice(i * sequenceTokens, (i + 1) * sequenceTokens));
}
