// A message put together of the events of its stream, as Anthropic's SDKs do: the two cannot differ.

import { closedJson } from '../chat/closed-json.ts';
import { cancelled } from '../generate/generation.ts';
import type { ContentBlock, Message, MessageEvent } from './message-events.ts';

/** @throws ApiError 503 when the generation was cancelled */
export async function wholeMessage(events: AsyncGenerator<MessageEvent>): Promise<Message> {
  let message: Message | undefined;
  const content: ContentBlock[] = [];
  let json = '';
  for await (const event of events) {
    if (event.type === 'message_start') message = event.message;
    else if (event.type === 'content_block_start') {
      content.push(event.content_block);
      json = '';
    } else if (event.type === 'content_block_delta') {
      const block = content.at(-1)!;
      if (event.delta.type === 'input_json_delta') json += event.delta.partial_json;
      else if (event.delta.type === 'signature_delta') Object.assign(block, { signature: event.delta.signature });
      else if (block.type === 'text' && event.delta.type === 'text_delta') block.text += event.delta.text;
      else if (block.type === 'thinking' && event.delta.type === 'thinking_delta')
        block.thinking += event.delta.thinking;
    } else if (event.type === 'content_block_stop') {
      const block = content.at(-1)!;
      if (block.type === 'tool_use' && json) block.input = closedJson(json);
    } else if (event.type === 'message_delta') {
      return { ...message!, ...event.delta, content, usage: { ...message!.usage, ...event.usage } };
    }
  }
  throw cancelled();
}
