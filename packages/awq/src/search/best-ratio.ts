// The ratio that loses least, found in rounds: every ratio is measured on a part of the tokens, the better ones on more of
// them, the best two on all. Errors of two ratios are compared on the same part, so they are told apart by few tokens;
// where they are not, either will do. (The error over the ratios has several valleys: no bisection finds the deepest.)
// What is measured in one part, because that costs little, is measured for every ratio.
import { ratios } from './scale-candidates.ts';

/** How many parts of eight a round ends with, and how many ratios go on. */
const rounds = [
  { parts: 1, stay: 5 },
  { parts: 2, stay: 2 },
  { parts: 8, stay: 1 },
];

export const mostParts = rounds.at(-1)!.parts;

/** Errors that a search of so many parts measures, the one without scales among them. */
export const measurements = (parts: number): number =>
  rounds.reduce(
    (sum, _, i) => (i > 0 && parts <= rounds[i - 1]!.parts ? sum : sum + (rounds[i - 1]?.stay ?? ratios.length)),
    1,
  );

/** Of eight parts, those that are computed for them, one counted as often as it is: what the time depends on. */
export const measuredParts = rounds.reduce(
  (sum, { parts }, i) => sum + (parts - (rounds[i - 1]?.parts ?? 0)) * (rounds[i - 1]?.stay ?? ratios.length),
  mostParts,
);

export interface Trial {
  /** At most `mostParts`. */
  readonly parts: number;
  readonly candidate: (ratio: number) => Float32Array;
  /** Sum of the squared errors of parts `from` … `to` − 1 with these scales, or without any. */
  readonly measure: (scales: Float32Array | undefined, from: number, to: number) => Promise<number>;
  /** Called before each measurement: the place for an abort. */
  readonly onStep?: () => Promise<void>;
}

export interface BestRatio {
  readonly ratio: number;
  readonly scales: Float32Array;
  /** Of all parts, with the scales and without. */
  readonly error: number;
  readonly unscaledError: number;
}

/** @returns undefined where no error is a number */
export async function bestRatio({ parts, candidate, measure, onStep }: Trial): Promise<BestRatio | undefined> {
  await onStep?.();
  const unscaledError = await measure(undefined, 0, parts);
  let left = ratios.map((ratio) => ({ ratio, error: 0 }));
  let measured = 0;
  for (const round of rounds) {
    const to = Math.min(round.parts, parts);
    if (to > measured)
      for (const one of left) {
        await onStep?.();
        one.error += await measure(candidate(one.ratio), measured, to);
      }
    measured = to;
    left = left
      .filter(({ error }) => Number.isFinite(error))
      .sort((a, b) => a.error - b.error)
      .slice(0, round.stay);
  }
  const [best] = left;
  return best && { ...best, scales: candidate(best.ratio), unscaledError };
}
