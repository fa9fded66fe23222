// The calibration tokens that a search looks at: a sample of the sequences, in parts of about the same length. How a
// block's output changes is an average over tokens, known well enough from a few thousand of them
// (docs/decisions/awq.md); what the inputs are like is taken from all.
import { mostParts } from './best-ratio.ts';

/** Of one part, at least, where there is enough text. */
const partTokens = 512;

/** How many sequences of that length a search looks at, at most. */
export const searchedSequences = (sequenceTokens: number): number =>
  Math.ceil((mostParts * partTokens) / sequenceTokens);

/**
 * Sequences by part, spread evenly over the text, as each part is over the sample.
 * @param lengths tokens of each sequence
 */
export function sequenceParts(lengths: readonly number[]): number[][] {
  const parts: number[][] = [];
  let tokens = partTokens; // of the last part
  for (const sequence of spread(lengths.length)) {
    if (tokens >= partTokens) {
      if (parts.length === mostParts) break;
      parts.push([]);
      tokens = 0;
    }
    parts.at(-1)!.push(sequence);
    tokens += lengths[sequence]!;
  }
  return parts;
}

const goldenRatio = (Math.sqrt(5) - 1) / 2;

/** 0 … count − 1 in an order whose beginnings, of any length, lie evenly: by the fraction of their golden multiple. */
function spread(count: number): number[] {
  const placeOf = (i: number): number => (i * goldenRatio) % 1;
  return Array.from({ length: count }, (_, i) => i).sort((a, b) => placeOf(a) - placeOf(b));
}
