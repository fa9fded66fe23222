// Ollama's messages in OpenAI's form, which templates read.
import { z } from 'zod';
import type { RequestMessage } from '../chat/messages.ts';
import { anyObject, listOf } from '../large-shapes.ts';

const images = z.array(z.unknown()).max(0, 'no images are read').nullish();
const callShape = z.looseObject({
  function: z.looseObject({ name: z.string(), arguments: anyObject.nullish() }),
});

export const messageShape = z.looseObject({
  role: z.enum(['system', 'user', 'assistant', 'tool']),
  content: z.string().nullish(),
  thinking: z.string().nullish(),
  images,
  tool_calls: listOf(callShape).nullish(),
  /** Of a tool's answer. */
  tool_name: z.string().nullish(),
  tool_call_id: z.string().nullish(),
});
type OllamaMessage = z.infer<typeof messageShape>;

export function messageOf({
  role,
  content,
  thinking,
  tool_calls,
  tool_name,
  tool_call_id,
}: OllamaMessage): RequestMessage {
  const text = content ?? '';
  if (role === 'system' || role === 'user') return { role, content: text };
  if (role === 'tool') return { role, content: text, ...(tool_name && { name: tool_name }), tool_call_id };
  return {
    role,
    content: text,
    ...(thinking && { reasoning_content: thinking }),
    ...(tool_calls?.length && {
      tool_calls: tool_calls.map(({ function: { name, arguments: given } }) => ({
        type: 'function' as const,
        function: { name, arguments: given ?? {} },
      })),
    }),
  };
}
