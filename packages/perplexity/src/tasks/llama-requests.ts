// Which tokens llama.cpp's tools score of a task (tools/perplexity hellaswag_score, winogrande_score,
// multiple_choice_score). Each choice is tokenized whole, with BOS where the model wants it; its score is the mean log
// probability per token, and the first of the best is the answer.
//   ending  the tokens after what all choices have in common
//   suffix  the tokens after context and choice, without the last one; when a choice leaves less than four tokens after
//           the common part, the tokens after that part instead, without the last one
import { QuernError } from '@quern/errors';
import type { Tokenizer } from '@quern/tokenizer';
import type { ChoiceTask, LlamaRule } from './choice-task.ts';
import { type Continuation, commonPrefix } from './continuation.ts';

/** What is asked of the model, and how one number per choice is made of the answers. */
export interface ScoreRequest {
  readonly continuations: readonly Continuation[];
  /** @param logProbs as `continuationLogProbs` returns them */
  scores(logProbs: readonly Float32Array[]): number[];
}

const minTrailingTokens = 3;

/** @throws QuernError `task-no-continuation` */
export function llamaRequest(task: ChoiceTask, rule: LlamaRule, tokenizer: Tokenizer): ScoreRequest {
  const encode = (text: string): Int32Array => tokenizer.encode(text, { addSpecial: true });
  const sequences = task.choices.map(({ context, continuation }) => encode(context + continuation));
  // A model without BOS says nothing about the first token.
  const common = Math.max(1, commonPrefix(sequences));
  if (sequences.some((ids) => ids.length <= common))
    throw new QuernError(
      'task-no-continuation',
      `A choice is the beginning of the others: ${JSON.stringify(task.choices[0]!.context.slice(0, 60))}.`,
    );
  if (rule === 'ending')
    return { continuations: sequences.map((ids) => ({ ids, from: common })), scores: (logProbs) => logProbs.map(mean) };

  const skipsChoice = sequences.every((ids) => ids.length - common > minTrailingTokens);
  const continuations = sequences.map((ids, i) => {
    const from = skipsChoice ? encode(task.choices[i]!.context).length : common;
    return { ids: withoutLast(ids, from), from };
  });
  if (skipsChoice) return { continuations, scores: (logProbs) => logProbs.map(mean) };
  // llama.cpp (marked FIXME there) takes the first token of the second choice from the logits at the end of the first.
  const [first, second] = sequences as [Int32Array, Int32Array];
  const misplaced = { ids: Int32Array.of(...first, second[common]!), from: first.length };
  return {
    continuations: [...continuations, misplaced],
    scores: ([own, other, [start]]) => [mean(own!), mean(Float32Array.of(start!, ...other!.subarray(1)))],
  };
}

/** The last token says little about the choice: most often it is a full stop. A single one stays. */
const withoutLast = (ids: Int32Array, from: number): Int32Array => (ids.length - from > 1 ? ids.subarray(0, -1) : ids);

const mean = (values: Float32Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;
