// What one window says about a model: a number per scored token, so that figures of many windows, shards or models on
// the same text can be made later, in any order, without loss.
import { QuernError } from '@quern/errors';
import type { Model } from '@quern/models';
import type { Tensor } from '@quern/runtime';
import type { BaseLogProbs } from './divergence/base.ts';
import { compareRow } from './divergence/row.ts';
import { fillCache, floatsOf, locateNonFinite, logitsOf, type TargetScorer } from './model-run.ts';
import type { Window } from './windows/window-plan.ts';

export interface Comparison {
  /** Negative log likelihoods by the base. */
  readonly baseNll: Float32Array;
  readonly kld: Float32Array;
  /** 1 where both models hold the same token for the likeliest. */
  readonly sameTop: Uint8Array;
}

/** One entry per scored token of the window. */
export interface WindowScores {
  /** In nats. */
  readonly nll: Float32Array;
  readonly comparison?: Comparison;
}

export interface ScoreOptions {
  readonly signal?: AbortSignal;
  /** Sees the logits of the scored rows before they are overwritten; `firstRow` counts the scored rows of the window. */
  readonly onLogits?: (firstRow: number, logits: Tensor) => Promise<void>;
}

/** @throws QuernError `perplexity-not-finite` */
export async function scoreWindow(
  model: Model,
  scorer: TargetScorer,
  { inputs, targets, firstScored }: Window,
  options: ScoreOptions = {},
): Promise<WindowScores> {
  const { signal, onLogits } = options;
  const nll = new Float32Array(targets.length);
  await fillCache(model, inputs, 0, firstScored, signal);
  for await (const { first, count, logits } of logitsOf(model, inputs, firstScored, inputs.length - 1, signal)) {
    const from = first - firstScored;
    const logProbs = await scorer.logProbs(logits, targets.subarray(from, from + count));
    for (const [i, logProb] of logProbs.entries()) nll[from + i] = -logProb;
    await onLogits?.(from, logits);
  }
  await requireFinite(model, nll, inputs, firstScored);
  return { nll };
}

/**
 * The same beside a base. Rows of both models are on the host one sub-batch at a time.
 * @param index of the window, by which a base that was saved finds its rows
 * @throws QuernError `perplexity-not-finite`, and those of the base
 */
export async function compareWindow(
  model: Model,
  base: BaseLogProbs,
  window: Window,
  index: number,
  signal?: AbortSignal,
): Promise<WindowScores> {
  const { inputs, targets, firstScored } = window;
  const { vocabSize } = model.hyperparameters;
  const count = targets.length;
  const nll = new Float32Array(count);
  const comparison = {
    baseNll: new Float32Array(count),
    kld: new Float32Array(count),
    sameTop: new Uint8Array(count),
  };
  await fillCache(model, inputs, 0, firstScored, signal);
  const baseRows = base.rows(index, window, signal);
  try {
    for await (const batch of logitsOf(model, inputs, firstScored, inputs.length - 1, signal)) {
      const logits = floatsOf(await model.device.read(batch.logits));
      for (let row = 0; row < batch.count; row++) {
        const i = batch.first - firstScored + row;
        const baseRow = (await baseRows.next()).value!;
        const own = logits.subarray(row * vocabSize, (row + 1) * vocabSize);
        const compared = compareRow(baseRow, own, targets[i]!);
        nll[i] = compared.nll;
        comparison.baseNll[i] = compared.baseNll;
        comparison.kld[i] = compared.kld;
        comparison.sameTop[i] = compared.sameTop ? 1 : 0;
      }
    }
  } finally {
    await baseRows.return(undefined);
  }
  await requireFinite(model, nll, inputs, firstScored);
  return { nll, comparison };
}

/** The cache still holds the window. */
async function requireFinite(model: Model, nll: Float32Array, inputs: Int32Array, firstScored: number): Promise<void> {
  const wrong = nll.findIndex((value) => !Number.isFinite(value));
  if (wrong < 0) return;
  const position = firstScored + wrong;
  const place = await locateNonFinite(model, inputs, position);
  throw new QuernError(
    'perplexity-not-finite',
    `The model computed probabilities that are no numbers (NaN or infinite) at position ${position} of the window` +
      `${place === undefined ? '' : `; they first appear in ${place}`}.`,
  );
}
