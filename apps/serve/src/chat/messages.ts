// Chat messages as clients send them, and as chat templates (written for transformers) expect them: text content is one
// string, tool-call arguments are an object, `developer` is what newer clients call `system`.
import { z } from 'zod';
import { anyObject, listOf } from '../large-shapes.ts';
import { unknownType } from '../unknown-type.ts';
import { ArgumentsReader } from './call-arguments.ts';

const textPart = z.looseObject({ type: z.literal('text'), text: z.string() });
const textParts = listOf(z.discriminatedUnion('type', [textPart], { error: unknownType('content') }));

const content = z.unknown().transform((value, context): string | z.infer<typeof textParts> => {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) {
    context.addIssue('expected a text, or a list of its parts');
    return z.NEVER;
  }
  const read = textParts.safeParse(value);
  if (read.success) return read.data;
  for (const { message, path } of read.error.issues) context.addIssue({ code: 'custom', message, path: [...path] });
  return z.NEVER;
});
const toolCall = z.looseObject({
  id: z.string().nullish(),
  type: z.literal('function').nullish(),
  // A string by OpenAI's rule; clients written for transformers send the object.
  function: z.looseObject({ name: z.string(), arguments: z.union([z.string(), anyObject]) }),
});

export const messageShape = z.discriminatedUnion('role', [
  z.looseObject({ role: z.enum(['system', 'developer', 'user']), content }),
  z.looseObject({
    role: z.literal('assistant'),
    content: content.nullish(),
    tool_calls: listOf(toolCall).nullish(),
    /** The reply goes on with it. */
    prefix: z.boolean().nullish(),
  }),
  z.looseObject({ role: z.literal('tool'), content, tool_call_id: z.string().nullish() }),
]);
export type RequestMessage = z.infer<typeof messageShape>;

export const toolShape = z.looseObject({
  type: z.literal('function'),
  function: z.looseObject({ name: z.string().min(1), description: z.string().nullish() }),
});

export type RequestTool = z.infer<typeof toolShape>;

export type TemplateMessage = Record<string, unknown> & { role: string };

const joined = (value: z.infer<typeof content>): string =>
  typeof value === 'string' ? value : value.map((part) => part.text).join('');

/** Pauses between long arguments. @throws ApiError 400 when the arguments of an earlier tool call are not a JSON object */
export function* templateMessages(messages: readonly RequestMessage[]): Generator<void, TemplateMessage[]> {
  const reader = new ArgumentsReader();
  const made: TemplateMessage[] = [];
  for (const [index, message] of messages.entries()) {
    const role = message.role === 'developer' ? 'system' : message.role;
    const base = { ...message, role, content: joined(message.content ?? '') };
    if (message.role !== 'assistant' || !message.tool_calls?.length) {
      made.push(base);
      continue;
    }
    const calls = [];
    for (const [at, call] of message.tool_calls.entries()) {
      const { arguments: given } = call.function;
      const param = `messages.${index}.tool_calls.${at}.function.arguments`;
      const args = typeof given === 'string' ? yield* reader.read(given, param) : given;
      calls.push({ ...call, type: 'function', function: { ...call.function, arguments: args } });
    }
    made.push({ ...base, tool_calls: calls });
  }
  return made;
}
