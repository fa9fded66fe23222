// One task, scored both ways.
import { QuernError } from '@quern/errors';
import type { Model } from '@quern/models';
import type { Tokenizer } from '@quern/tokenizer';
import type { TargetScorer } from '../model-run.ts';
import type { ChoiceTask, TaskSet } from './choice-task.ts';
import { continuationLogProbs } from './continuation.ts';
import { llamaRequest, type ScoreRequest } from './llama-requests.ts';
import { type LmEvalRequest, lmEvalRequest } from './lm-eval-requests.ts';

/** Tokens of a task, ready for a model. */
export interface PreparedTask {
  readonly task: ChoiceTask;
  readonly llama: ScoreRequest;
  readonly lmEval: LmEvalRequest;
}

export interface TaskScore {
  /** Per choice: llama.cpp's mean log probability per token. */
  readonly llama: readonly number[];
  /** Per choice: lm-eval's sum of log probabilities. */
  readonly lmEval: readonly number[];
  /** Whether the model answered right, by each scoring: 1 or 0. */
  readonly right: { readonly llama: number; readonly acc: number; readonly accNorm: number };
}

export function prepareTasks({ tasks, rule }: TaskSet, tokenizer: Tokenizer): PreparedTask[] {
  return tasks.map((task) => ({
    task,
    llama: llamaRequest(task, rule, tokenizer),
    lmEval: lmEvalRequest(task, tokenizer),
  }));
}

/** Cache positions that the longest sequence needs. */
export const longestSequence = (tasks: readonly PreparedTask[]): number =>
  tasks
    .flatMap(({ llama, lmEval }) => [...llama.continuations, ...lmEval.continuations])
    .reduce((most, { ids }) => Math.max(most, ids.length), 0);

/** @throws QuernError `perplexity-not-finite`, `perplexity-cache-too-small` */
export async function scoreTask(
  model: Model,
  scorer: TargetScorer,
  { task, llama, lmEval }: PreparedTask,
  signal?: AbortSignal,
): Promise<TaskScore> {
  const means = llama.scores(await continuationLogProbs(model, scorer, llama.continuations, signal));
  const logProbs = await continuationLogProbs(model, scorer, lmEval.continuations, signal);
  const sums = logProbs.map((values) => values.reduce((sum, value) => sum + value, 0));
  const perCharacter = sums.map((sum, i) => sum / lmEval.lengths[i]!);
  if (![...means, ...sums].every(Number.isFinite))
    throw new QuernError('perplexity-not-finite', 'The model computed probabilities that are no numbers.');
  const isRight = (scores: readonly number[]): number => (task.right.includes(best(scores)) ? 1 : 0);
  return {
    llama: means,
    lmEval: sums,
    right: { llama: isRight(means), acc: isRight(sums), accNorm: isRight(perCharacter) },
  };
}

/** The first of the greatest. */
const best = (scores: readonly number[]): number => scores.indexOf(Math.max(...scores));
