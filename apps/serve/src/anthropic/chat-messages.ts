// Anthropic's messages in the words of the neutral chat: results of tools become messages of their own, as templates have
// them, and turns that follow each other in one role become one.
import { ApiError } from '../api-error.ts';
import type { RequestMessage } from '../chat/messages.ts';
import { openThought } from '../chat/thought-seal.ts';
import { withoutBillingHeader } from './billing-header.ts';
import type { AssistantBlock, Message, SystemBlock, TextBlock, UserBlock } from './content-blocks.ts';

/** Where it stands in the request, for messages to people. */
interface Placed<Block> {
  readonly block: Block;
  readonly path: string;
}

type Turn =
  | { readonly role: 'system'; readonly blocks: Placed<SystemBlock>[] }
  | { readonly role: 'user'; readonly blocks: Placed<UserBlock>[] }
  | { readonly role: 'assistant'; readonly blocks: Placed<AssistantBlock>[] };

/**
 * @param thinkingTurns how many of the last turns that have thoughts keep them
 * @throws ApiError 400
 */
export function chatMessages(
  system: readonly TextBlock[],
  messages: readonly Message[],
  thinkingTurns: number,
): RequestMessage[] {
  const turns = turnsOf(messages);
  const last = turns.at(-1)!;
  if (last.role === 'assistant' && last.blocks.some(({ block }) => block.type === 'tool_use')) {
    const message = 'The last message calls tools; give their results.';
    throw new ApiError(400, 'invalid_value', message, { param: 'messages' });
  }
  const thoughtful = turns.filter(({ blocks }) => blocks.some(({ block }) => block.type === 'thinking'));
  const keep = new Set(thoughtful.slice(Math.max(0, thoughtful.length - thinkingTurns)));
  const toolNames = new Map<string, string>();
  const instructions = paragraphs(system);
  return [
    ...(instructions ? [{ role: 'system' as const, content: instructions }] : []),
    ...turns.flatMap((turn): RequestMessage[] => {
      if (turn.role === 'system') return systemMessages(turn.blocks);
      if (turn.role === 'user') return userMessages(turn.blocks, toolNames);
      return [assistantMessage(turn.blocks, toolNames, keep.has(turn))];
    }),
  ];
}

function turnsOf(messages: readonly Message[]): Turn[] {
  const turns: Turn[] = [];
  const lastUser = messages.findLastIndex(({ role }) => role === 'user');
  for (const [index, message] of messages.entries()) {
    const { role, content } = message;
    if (role === 'system' && message.clear_at === 'next_user_message' && index < lastUser) continue;
    const blocks = (content ?? []).map((block, at) => ({ block, path: `messages.${index}.content.${at}` }));
    const last = turns.at(-1);
    if (last?.role === role) (last.blocks as Placed<unknown>[]).push(...blocks);
    else turns.push({ role, blocks } as Turn);
  }
  return turns;
}

function systemMessages(blocks: readonly Placed<SystemBlock>[]): RequestMessage[] {
  const content = paragraphs(
    blocks.map(({ block }) => {
      if (block.type === 'text') return block;
      const name = block.tool.type === 'tool_definition' ? block.tool.definition.name : block.tool.name;
      return block.type === 'tool_addition' ? offering(name) : { text: `The tool ${name} can no longer be called.` };
    }),
  );
  return content === '' ? [] : [{ role: 'system', content }];
}

/** The description stands with those of the other tools, in front of the messages. */
const offering = (name: string) => ({ text: `The tool ${name} can be called from here on.` });

const paragraphs = (blocks: readonly Pick<TextBlock, 'text'>[]): string =>
  blocks
    .map(({ text }) => withoutBillingHeader(text))
    .filter((text) => text !== '')
    .join('\n\n');

function userMessages(blocks: readonly Placed<UserBlock>[], toolNames: ReadonlyMap<string, string>): RequestMessage[] {
  const messages: RequestMessage[] = [];
  let texts: string[] = [];
  const endText = (): void => {
    if (texts.length > 0) messages.push({ role: 'user', content: texts.join('\n') });
    texts = [];
  };
  for (const { block, path } of blocks) {
    if (block.type === 'text') {
      texts.push(block.text);
      continue;
    }
    endText();
    const name = toolNames.get(block.tool_use_id);
    if (name === undefined) {
      const param = `${path}.tool_use_id`;
      throw new ApiError(400, 'invalid_value', `${param}: no tool_use before it has the id "${block.tool_use_id}".`, {
        param,
      });
    }
    const parts = (block.content ?? []).map((part) => (part.type === 'text' ? part : offering(part.tool_name)));
    const text = parts.map((part) => part.text).join('\n');
    // Templates have no word for a tool that failed.
    const content = block.is_error ? `Error: ${text}` : text;
    messages.push({ role: 'tool', tool_call_id: block.tool_use_id, name, content });
  }
  endText();
  return messages.length > 0 ? messages : [{ role: 'user', content: '' }];
}

function assistantMessage(
  blocks: readonly Placed<AssistantBlock>[],
  toolNames: Map<string, string>,
  keepsThoughts: boolean,
): RequestMessage {
  let content = '';
  let reasoning = '';
  const calls = [];
  for (const { block, path } of blocks) {
    if (block.type === 'text') content += block.text;
    else if (block.type === 'thinking' && keepsThoughts)
      reasoning += openThought(block.thinking, block.signature, `${path}.signature`) ?? '';
    else if (block.type === 'tool_use') {
      toolNames.set(block.id, block.name);
      calls.push({ id: block.id, type: 'function' as const, function: { name: block.name, arguments: block.input } });
    }
  }
  return {
    role: 'assistant',
    content,
    ...(reasoning ? { reasoning_content: reasoning } : {}),
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
  };
}
