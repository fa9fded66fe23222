// Which tokens lm-evaluation-harness scores of a task (lm_eval api/model.py `_encode_pair`, api/task.py): context and
// continuation are tokenized together and the context alone; what comes after as many tokens as the context has is the
// continuation. Without BOS, its default for causal models; an empty context becomes BOS, or EOS.
//   acc       the greatest sum of log probabilities        acc_norm  the greatest sum per character of the continuation
import { QuernError } from '@quern/errors';
import type { Tokenizer } from '@quern/tokenizer';
import type { ChoiceTask } from './choice-task.ts';
import type { Continuation } from './continuation.ts';

export interface LmEvalRequest {
  readonly continuations: readonly Continuation[];
  /** Characters of each continuation, without the space in front. */
  readonly lengths: readonly number[];
}

/** @throws QuernError `task-no-continuation` */
export function lmEvalRequest(task: ChoiceTask, tokenizer: Tokenizer): LmEvalRequest {
  const choices = task.lmEvalChoices ?? task.choices;
  return {
    continuations: choices.map(({ context, continuation }) => continuationOf(context, continuation, tokenizer)),
    lengths: choices.map(({ continuation }) => [...continuation.slice(1)].length),
  };
}

function continuationOf(context: string, continuation: string, tokenizer: Tokenizer): Continuation {
  // Spaces at the end of the context belong to the first token of what follows.
  const given = context.trimEnd();
  const whole = tokenizer.encode(context + continuation);
  const from = tokenizer.encode(given).length;
  if (whole.length <= from)
    throw new QuernError(
      'task-no-continuation',
      `No token is left to score after ${JSON.stringify(given.slice(-40))}.`,
    );
  if (from > 0) return { ids: whole, from };
  const start = tokenizer.bos ?? tokenizer.eos;
  if (start === undefined)
    throw new QuernError('task-no-continuation', 'A task without context needs a model that has BOS or EOS.');
  return { ids: Int32Array.of(start, ...whole), from: 1 };
}
