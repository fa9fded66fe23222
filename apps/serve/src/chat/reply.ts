// A chat reply as events: reasoning, content and calls, taken apart by the model's format.
import { createReplyReader, type ReplyEvent, type ReplyOptions } from '@quern/chat';
import type { TokenEvent } from '@quern/engine';
import type { ReplyCost } from '../generate/cost.ts';
import { type FinishReason, type GenerationTask, generate } from '../generate/generation.ts';
import { afterThinking, costOfBoth } from './thinking-budget.ts';

/** `tokens` are those sampled since the last event; what they say may come later. */
export type ChatEvent =
  | { type: 'reply'; parts: readonly ReplyEvent[]; tokens: readonly TokenEvent[]; cost: ReplyCost }
  | {
      type: 'end';
      finishReason: FinishReason | 'tool_calls';
      /** The text of `stop` that ended it. */
      stopText?: string;
      /** The token of `stop_token_ids` that ended it. */
      stopToken?: number;
      /** The token that ended it, of the request or of the model. */
      endToken?: number;
      cost: ReplyCost;
    };

export interface ReplyForm extends ReplyOptions {
  /** Most tokens of reasoning; what comes behind them is the answer. */
  readonly thinkingBudget?: number;
  /** What holds the reply once its reasoning is over. */
  readonly answerConstraint?: GenerationTask['constraint'];
}

export async function* chatReply(task: GenerationTask, form: ReplyForm): AsyncGenerator<ChatEvent> {
  const { format } = task.model.chat;
  const reader = createReplyReader(format, form);
  const budget = form.thinkingBudget ?? Number.POSITIVE_INFINITY;
  const tokens: number[] = [];
  let reasoningTokens = 0;
  let called = false;
  let spent: ReplyCost | undefined;
  const costOf = (cost: ReplyCost): ReplyCost => {
    const all = spent ? costOfBoth(spent, cost) : cost;
    return reasoningTokens > 0 ? { ...all, reasoningTokens } : all;
  };
  for (let now: GenerationTask | undefined = task; now; ) {
    let next: GenerationTask | undefined;
    for await (const event of generate(now)) {
      if (event.type === 'text') {
        const parts = reader.push(event.text);
        called ||= parts.some((part) => part.type === 'call');
        tokens.push(...event.tokens.map(({ token }) => token));
        if (reader.inReasoning) reasoningTokens += event.tokens.length;
        const cost = costOf(event.cost);
        if (parts.length > 0 || event.tokens.length > 0) yield { type: 'reply', parts, tokens: event.tokens, cost };
        if (spent || !reader.inReasoning || reasoningTokens < budget) continue;
        const cut = afterThinking(now, tokens, form);
        // Without room for an answer, the reasoning is all there is.
        if (!cut) continue;
        const said = reader.push(cut.closing);
        if (said.length > 0) yield { type: 'reply', parts: said, tokens: [], cost };
        spent = { ...event.cost, completionTokens: event.cost.completionTokens + cut.closingTokens };
        next = cut.task;
        break;
      }
      const cost = costOf(event.cost);
      const rest = reader.end();
      called ||= rest.some((part) => part.type === 'call');
      if (rest.length > 0) yield { type: 'reply', parts: rest, tokens: [], cost };
      yield {
        type: 'end',
        finishReason: called && event.finishReason === 'stop' ? 'tool_calls' : event.finishReason,
        stopText: event.stopText,
        stopToken: event.stopToken,
        endToken: event.endToken,
        cost,
      };
    }
    now = next;
  }
}
