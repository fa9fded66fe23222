// Thinking that has used up its budget is ended: the reply goes on behind the mark that ends reasoning, as if the model had
// written it. What was computed is found in the cache, so going on costs the few tokens of the mark.
import type { ReplyCost } from '../generate/cost.ts';
import type { GenerationTask } from '../generate/generation.ts';
import type { ReplyForm } from './reply.ts';

export interface Cut {
  /** What the reader is told. */
  readonly closing: string;
  readonly closingTokens: number;
  readonly task: GenerationTask;
}

/** Undefined where there is no room for an answer. */
export function afterThinking(task: GenerationTask, tokens: readonly number[], form: ReplyForm): Cut | undefined {
  const { model, prompt, maxTokens } = task;
  const { reasoning, channels, recipients } = model.chat.format;
  const spaced = recipients ? reasoning!.close : `\n${reasoning!.close}\n\n`;
  const closing = channels ? `${reasoning!.close}<|start|>assistant` : spaced;
  const mark = model.tokenizer.encode(closing, { parseSpecial: true });
  const used = tokens.length + mark.length;
  const left = maxTokens === undefined ? undefined : maxTokens - used;
  if ((left !== undefined && left < 1) || prompt.length + used >= model.contextTokens) return undefined;
  // A second thought would have no end.
  const forbidden = [reasoning!.open.trim()];
  const longer = Int32Array.from([...prompt, ...tokens, ...mark]);
  return {
    closing,
    closingTokens: mark.length,
    task: { ...task, prompt: longer, maxTokens: left, events: undefined, constraint: form.answerConstraint, forbidden },
  };
}

/** What the reasoning and the answer behind it took: the prompt of the second is the first's prompt and reply. */
export const costOfBoth = (thinking: ReplyCost, answer: ReplyCost): ReplyCost => ({
  ...thinking,
  completionTokens: thinking.completionTokens + answer.completionTokens,
  generationMs: thinking.generationMs + answer.promptMs + answer.generationMs,
});
