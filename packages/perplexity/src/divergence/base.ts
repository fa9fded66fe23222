// The other model of a comparison, as log probabilities row by row: computed in lockstep, or read from a file.
import type { Model } from '@quern/models';
import { fillCache, floatsOf, logitsOf } from '../model-run.ts';
import type { Window } from '../windows/window-plan.ts';
import { logProbsOf } from './row.ts';

export interface BaseLogProbs {
  readonly vocabSize: number;
  /** Rows [vocab], one per scored token of the window, in order; each is overwritten by the next. */
  rows(index: number, window: Window, signal?: AbortSignal): AsyncGenerator<Float32Array, undefined>;
}

/** @param model on a device of its own, loaded as `perplexityLoadOptions` says */
export function baseOfModel(model: Model): BaseLogProbs {
  const { vocabSize } = model.hyperparameters;
  const row = new Float32Array(vocabSize);
  return {
    vocabSize,
    async *rows(_, { inputs, firstScored }, signal) {
      await fillCache(model, inputs, 0, firstScored, signal);
      for await (const { count, logits } of logitsOf(model, inputs, firstScored, inputs.length - 1, signal)) {
        const values = floatsOf(await model.device.read(logits));
        for (let r = 0; r < count; r++) {
          logProbsOf(values.subarray(r * vocabSize, (r + 1) * vocabSize), row);
          yield row;
        }
      }
      return undefined;
    },
  };
}
