// A reply of an engine, read to its end.
import type { FinishEvent, GenerateEvent } from '../request.ts';

export async function collect(
  events: AsyncIterable<GenerateEvent>,
): Promise<{ tokens: number[]; finish: FinishEvent }> {
  const tokens: number[] = [];
  for await (const event of events) {
    if ('finishReason' in event) return { tokens, finish: event };
    tokens.push(event.token);
  }
  throw new Error('the generation ended without a finish event');
}
