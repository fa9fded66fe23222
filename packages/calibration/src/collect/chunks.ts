// What the model is run on (llama-imatrix, tools/imatrix): every text is tokenized whole and cut into chunks of n tokens
// that do not overlap; a tail shorter than n is left out. Models that want BOS see it in place of a chunk's first token.
import { QuernError } from '@quern/errors';
import type { Tokenizer } from '@quern/tokenizer';
import { shuffled } from './shuffle.ts';

/** llama-imatrix takes no statistics from a batch of fewer rows. */
const minContextTokens = 16;

export interface CalibrationText {
  /** What the importance matrix will call it. */
  readonly name: string;
  /** UTF-8. */
  readonly bytes: Uint8Array;
}

export interface ChunkOptions {
  /** Tokens per chunk. */
  readonly contextTokens: number;
  /** Read special tokens written in the texts (`<|im_start|>`) as such. Default false. */
  readonly parseSpecial?: boolean;
  /** Take the chunks in an order that this number decides. Default: as they stand. */
  readonly seed?: number;
}

/**
 * [contextTokens] each, ready for the model.
 * @throws QuernError `calibration-bad-context`, `text-not-utf8`, `text-too-short` with the numbers,
 *   `tokenizer-adds-eos` for models whose tokenizer appends EOS (the method is not defined for them)
 */
export function calibrationChunks(
  tokenizer: Tokenizer,
  texts: readonly CalibrationText[],
  options: ChunkOptions,
): Int32Array[] {
  const { contextTokens, seed } = options;
  if (!Number.isSafeInteger(contextTokens) || contextTokens < minContextTokens)
    throw new QuernError(
      'calibration-bad-context',
      `A context of ${contextTokens} tokens is too short to measure; use at least ${minContextTokens}.`,
    );
  if (tokenizer.addEos)
    throw new QuernError(
      'tokenizer-adds-eos',
      'The tokenizer of this model appends EOS: texts cannot be cut into chunks for it.',
    );
  const chunks = texts.flatMap((text) => chunksOf(tokenizer, text, options));
  return seed === undefined ? chunks : shuffled(chunks, seed);
}

function chunksOf(tokenizer: Tokenizer, text: CalibrationText, { contextTokens, parseSpecial }: ChunkOptions) {
  const ids = tokenizer.encode(decodeText(text), { addSpecial: true, parseSpecial });
  const count = Math.floor(ids.length / contextTokens);
  if (count < 1)
    throw new QuernError('text-too-short', `The text has ${ids.length} tokens; one chunk has ${contextTokens}.`, {
      file: text.name,
      remedy:
        'Use a longer text, or fewer tokens per chunk (--ctx-size; of quern quantize --seq-len, --calibration-ctx).',
    });
  return Array.from({ length: count }, (_, index) => {
    const chunk = ids.slice(index * contextTokens, (index + 1) * contextTokens);
    if (tokenizer.addBos && tokenizer.bos !== undefined) chunk[0] = tokenizer.bos;
    return chunk;
  });
}

/** The text without one newline at its end, as llama.cpp's tools read a file. */
function decodeText({ name, bytes }: CalibrationText): string {
  const end = bytes.at(-1) === 0x0a ? bytes.length - 1 : bytes.length;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(0, end));
  } catch {
    throw new QuernError('text-not-utf8', 'The text is not valid UTF-8.', {
      file: name,
      remedy: 'Convert it to UTF-8.',
    });
  }
}
