// What a model would have generated: a template's own rendering of a message, without the prompt before it and the end of
// the turn behind it. So templates say what readers must make of a reply.
import { type ChatMessage, renderChat } from '@quern/tokenizer';
import type { ChatFormat, ToolDefinition } from '../format.ts';

export interface Said {
  readonly reasoning?: string;
  readonly content?: string;
  readonly calls: readonly { name: string; args: Record<string, unknown> }[];
}

export const special = { bosToken: '<BOS>', eosToken: '<EOS>' };
const question = { role: 'user', content: 'A question?' };

export function tool(name: string): ToolDefinition {
  const properties = {
    text: { type: 'string', description: 'A text.' },
    count: { type: 'integer', description: 'A number.' },
    flag: { type: 'boolean', description: 'Yes or no.' },
    list: { type: 'array', items: { type: 'string' }, description: 'Texts.' },
    deep: { type: 'object', additionalProperties: { type: 'string' }, description: 'Anything.' },
  };
  const parameters = { type: 'object', properties, required: ['text'] };
  return { type: 'function', function: { name, description: 'Does something.', parameters } };
}

export function renderReply(
  template: string,
  format: ChatFormat,
  tools: readonly ToolDefinition[],
  said: Said,
): { reply: string; reasoningOpen: boolean } {
  const render = (messages: ChatMessage[], addGenerationPrompt = false) =>
    renderChat({ template, messages, tools, addGenerationPrompt, now: new Date(0), ...special });
  const full = render([question, messageOf(format, said)]);
  const prompt = render([question], true);
  const answer = render([question, { role: 'assistant', content: 'Qx7' }]);
  let start = 0;
  while (start < prompt.length && prompt[start] === full[start]) start++;
  // A prompt that opens something which this message does not have.
  if (start < prompt.length) start = Math.max(prompt.lastIndexOf('<', start), prompt.lastIndexOf('>', start - 1) + 1);
  const behind = answer.slice(answer.lastIndexOf('Qx7') + 3);
  const reply = full.slice(start);
  const reasoningOpen =
    start === prompt.length && format.reasoning !== undefined && prompt.trimEnd().endsWith(format.reasoning.open);
  const ends = [...behind.matchAll(/[<[\n]|$/g)].map(({ index }) => behind.slice(index));
  const end = ends.find((one) => reply.endsWith(one))!;
  return { reply: reply.slice(0, reply.length - end.length), reasoningOpen };
}

function messageOf({ messages }: ChatFormat, { reasoning, content, calls }: Said): ChatMessage {
  const toolCalls = calls.map(({ name, args }, i) => ({
    id: messages.ids === 'named' ? `functions.${name}:${i}` : `abcdefgh${i + 1}`,
    type: 'function',
    function: { name, arguments: messages.arguments === 'text' ? JSON.stringify(args) : args },
  }));
  return {
    role: 'assistant',
    content: content ?? messages.noContent,
    ...(reasoning !== undefined && { [messages.reasoning]: reasoning }),
    ...(calls.length > 0 && { tool_calls: toolCalls }),
  };
}
