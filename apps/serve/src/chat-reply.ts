// A chat reply as events: text and, when the request offered tools, tool calls cut out of it.
import { type FinishReason, type GenerationTask, generate } from './generation.ts';
import { type Usage, usage } from './response-fields.ts';
import { type ChatLogProbs, chatLogProbs } from './token-log-probs.ts';
import { type OutputPart, ToolCallSplitter } from './tool-calls.ts';

export type ChatEvent =
  | { type: 'parts'; parts: OutputPart[]; logprobs: ChatLogProbs | null }
  | { type: 'end'; finishReason: FinishReason | 'tool_calls'; usage: Usage };

export async function* chatReply(task: GenerationTask, offersTools: boolean): AsyncGenerator<ChatEvent> {
  const splitter = offersTools ? new ToolCallSplitter() : undefined;
  let called = false;
  for await (const event of generate(task)) {
    if (event.type === 'text') {
      const parts = splitter ? splitter.push(event.text) : event.text ? [{ text: event.text }] : [];
      const logprobs = task.logProbs === undefined ? null : chatLogProbs(task.model.tokenizer, event.tokens);
      called ||= parts.some((part) => 'call' in part);
      if (parts.length > 0 || logprobs?.content.length) yield { type: 'parts', parts, logprobs };
      continue;
    }
    const rest = splitter?.end() ?? [];
    if (rest.length > 0) yield { type: 'parts', parts: rest, logprobs: null };
    yield {
      type: 'end',
      finishReason: called && event.finishReason === 'stop' ? 'tool_calls' : event.finishReason,
      usage: usage(task.prompt.length, event),
    };
  }
}
