// Log probabilities of a prompt's own tokens: the prompt is dictated to the engine, which tells them as it would of a reply.
import type { TokenEvent } from '@quern/engine';
import { adaptersOf } from './adapters.ts';
import { cancelled, type GenerationTask } from './generation.ts';

/**
 * Of each token but the first, which nothing is before.
 * @param count likeliest tokens to tell of beside each
 * @throws ApiError 503 when the client has gone
 */
export async function promptLogProbs(task: GenerationTask, count: number): Promise<TokenEvent[]> {
  const { model, prompt, request, signal } = task;
  if (prompt.length < 2) return [];
  const events: TokenEvent[] = [];
  const options = {
    ...{ dictated: [...prompt.slice(1)], maxTokens: prompt.length - 1, logprobs: count, signal },
    ...{ priority: request.priority ?? 0, deadlineMs: request.deadline_ms ?? undefined },
    ...adaptersOf(request.lora),
  };
  for await (const event of model.engine.generate(prompt.slice(0, 1), options)) {
    if (!('finishReason' in event)) events.push(event);
    else if (event.finishReason === 'cancelled') throw cancelled();
  }
  return events;
}
