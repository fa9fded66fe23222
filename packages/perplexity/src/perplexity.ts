// A loaded model on the windows of a text, alone or beside a base.
import type { Model } from '@quern/models';
import type { Tensor } from '@quern/runtime';
import type { BaseLogProbs } from './divergence/base.ts';
import type { BaseFileWriter } from './divergence/base-file.ts';
import { type Figures, figuresOf, Moments } from './figures.ts';
import { floatsOf, requireCells, TargetScorer } from './model-run.ts';
import { compareWindow, scoreWindow, type WindowScores } from './window-scores.ts';
import {
  countWindows,
  type Shard,
  shardRange,
  type Window,
  type WindowOptions,
  type WindowPlan,
  windowAt,
  windowPlan,
} from './windows/window-plan.ts';

export interface EvaluateWindowsOptions {
  /** Replaces the first token of every window, where the profile says so; undefined for models that do not add BOS. */
  readonly bos?: number;
  /** Compare with this model. */
  readonly base?: BaseLogProbs;
  /** Write this model's log probabilities (profile llama.cpp-512). Not with `base`. */
  readonly save?: BaseFileWriter;
  /** Only the windows of this shard. */
  readonly shard?: Shard;
  /** Windows that were scored before, by index: they are not computed again. */
  readonly done?: ReadonlyMap<number, WindowScores>;
  /** Called after each window that was computed. */
  readonly onWindow?: (index: number, scores: WindowScores) => void | Promise<void>;
  /** Ends the run between two batches with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Scores of the windows of the shard, in order.
 * @param model loaded with at least `contextTokens` cache positions
 * @param ids the whole text (`perplexityTokens`)
 * @throws QuernError `text-too-short`, `perplexity-cache-too-small`, `perplexity-not-finite`, those of `base` and `save`
 */
export async function evaluateWindows(
  model: Model,
  ids: Int32Array,
  plan: WindowPlan,
  options: EvaluateWindowsOptions = {},
): Promise<WindowScores[]> {
  const { bos, base, save, shard, done, onWindow, signal } = options;
  const [first, end] = shardRange(countWindows(ids.length, plan), shard);
  requireCells(model, plan.contextTokens);
  const scorer = new TargetScorer(model);
  const score = (window: Window, index: number): Promise<WindowScores> => {
    if (base) return compareWindow(model, base, window, index, signal);
    const onLogits =
      save &&
      (async (firstRow: number, logits: Tensor) =>
        save.writeRows(index, firstRow, floatsOf(await model.device.read(logits))));
    return scoreWindow(model, scorer, window, { signal, onLogits });
  };
  const all: WindowScores[] = [];
  try {
    for (let index = first; index < end; index++) {
      let scores = done?.get(index);
      if (!scores) {
        scores = await score(windowAt(ids, index, plan, bos), index);
        await onWindow?.(index, scores);
      }
      all.push(scores);
    }
  } finally {
    scorer.dispose();
  }
  return all;
}

export interface PerplexityOptions extends WindowOptions, Pick<EvaluateWindowsOptions, 'bos' | 'signal'> {
  /** Called after each window with the figures so far. */
  readonly onWindow?: (state: PerplexityState) => void;
}

export interface PerplexityState extends Figures {
  windowsDone: number;
  windows: number;
}

export interface PerplexityResult extends Figures {
  contextTokens: number;
  windows: number;
}

/** Perplexity in one call; parameters and errors as of `evaluateWindows`. */
export async function perplexity(model: Model, ids: Int32Array, options: PerplexityOptions): Promise<PerplexityResult> {
  const plan = windowPlan(options);
  const windows = countWindows(ids.length, plan);
  const moments = new Moments();
  const { bos, signal } = options;
  const onWindow = (index: number, { nll }: WindowScores): void => {
    moments.addAll(nll);
    options.onWindow?.({ ...figuresOf(moments), windowsDone: index + 1, windows });
  };
  await evaluateWindows(model, ids, plan, { bos, signal, onWindow });
  return { ...figuresOf(moments), contextTokens: plan.contextTokens, windows };
}

/** Figures of windows that were scored before. */
export const perplexityOf = (windows: readonly WindowScores[]): Figures => {
  const moments = new Moments();
  for (const { nll } of windows) moments.addAll(nll);
  return figuresOf(moments);
};
