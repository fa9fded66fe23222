// What is read back of the logits of a batch: of sequences whose next token depends on the likeliest tokens alone these, of the
// others the whole vocabulary.
import type { HighestLogits, Model } from '@quern/models';
import { areFinite } from './not-finite.ts';
import { highestOf } from './sampling/log-probs.ts';
import type { Share } from './scheduling/divide.ts';
import type { Sequence } from './scheduling/sequence.ts';

/** The logits of all tokens, or the likeliest tokens. */
export type LogitRow = Float32Array | HighestLogits;

/**
 * Rows for each share that a token is sampled for: behind its last token, and behind each of its drafts.
 * @param logits of the whole batch, as `forward` has just given them
 */
export async function readRows(
  model: Model,
  logits: Awaited<ReturnType<Model['forward']>>,
  complete: readonly Share[],
): Promise<LogitRow[][]> {
  const { vocabSize } = model.hyperparameters;
  const needs = complete.map(({ sequence }) => needsOf(sequence, model));
  const most = Math.max(0, ...needs.map((count) => count ?? 0));
  const withSums = complete.some(({ sequence }, i) => needs[i] !== undefined && comparesAll(sequence));
  const highest = most > 0 ? await model.highest(logits, most, withSums) : [];
  let first = 0;
  const read = complete.map(async ({ drafts }, i): Promise<LogitRow[]> => {
    const [from, rows] = [first, 1 + drafts];
    first += rows;
    if (needs[i] !== undefined) return highest.slice(from, first);
    const bytes = await model.device.read(logits, 4 * from * vocabSize, 4 * rows * vocabSize);
    return Array.from(
      { length: rows },
      (_, row) => new Float32Array(bytes.buffer, bytes.byteOffset + 4 * row * vocabSize, vocabSize),
    );
  });
  return Promise.all(read);
}

/** How many of the likeliest tokens are enough; undefined: none but all. */
function needsOf(
  { beams, constraint, rules, dictated, sampler, logprobs = 0 }: Sequence,
  model: Model,
): number | undefined {
  const chosenFrom = beams?.needs ?? (constraint || rules || dictated ? undefined : sampler.needs);
  if (chosenFrom === undefined) return undefined;
  const count = Math.min(Math.max(chosenFrom, logprobs), model.hyperparameters.vocabSize);
  return count <= model.mostHighest ? count : undefined;
}

/** Whether probabilities are told, which all logits have a part in. */
const comparesAll = ({ beams, logprobs }: Sequence): boolean => beams !== undefined || logprobs !== undefined;

/** Whether a token can be chosen from them. */
export function areAllFinite(row: LogitRow): boolean {
  return row instanceof Float32Array ? areFinite(row) : row.allFinite;
}

/** The likeliest tokens, `count` at least if there are as many. */
export const highestIn = (row: LogitRow, count: number): HighestLogits =>
  row instanceof Float32Array ? highestOf(row, count) : row;

/** For one more sampler, as samplers overwrite what they are given. */
export const copyOf = (row: LogitRow): LogitRow => (row instanceof Float32Array ? row.slice() : row);
