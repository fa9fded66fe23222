// The content of messages in Anthropic's API: a text, or a list of blocks. `cache_control` may stand at any block: prompts
// are cached here without being told.
import { z } from 'zod';
import { anyObject, listOf } from '../large-shapes.ts';
import { unknownType } from '../unknown-type.ts';

const textBlock = z.looseObject({ type: z.literal('text'), text: z.string() });

const toolUse = z.looseObject({
  type: z.literal('tool_use'),
  id: z.string().min(1),
  name: z.string().min(1),
  input: anyObject,
});

const thinkingBlock = z.looseObject({
  type: z.literal('thinking'),
  thinking: z.string(),
  signature: z.string().nullish(),
});

/** Readable only for Anthropic's own models. */
const redactedThinking = z.looseObject({ type: z.literal('redacted_thinking'), data: z.string() });

/** Blocks that a message may have, a text standing for one block of it. */
const blocks = <Shape extends z.ZodType>(shape: Shape) =>
  z.preprocess((value) => (typeof value === 'string' ? [{ type: 'text', text: value }] : value), listOf(shape));

const kinds = <const Shapes extends readonly [z.core.$ZodTypeDiscriminable, ...z.core.$ZodTypeDiscriminable[]]>(
  place: string,
  shapes: Shapes,
) => z.discriminatedUnion('type', shapes, { error: unknownType(place) });

const texts = (place: string) => blocks(kinds(place, [textBlock]));

const toolResult = z.looseObject({
  type: z.literal('tool_result'),
  tool_use_id: z.string(),
  content: texts('content of a tool result').nullish(),
  is_error: z.boolean().nullish(),
});

export const systemShape = texts('content of a system prompt');

export const messageShape = z.discriminatedUnion('role', [
  z.looseObject({ role: z.literal('user'), content: blocks(kinds('content of the user', [textBlock, toolResult])) }),
  z.looseObject({
    role: z.literal('assistant'),
    content: blocks(kinds('content of the assistant', [textBlock, thinkingBlock, redactedThinking, toolUse])),
  }),
  z.looseObject({ role: z.literal('system'), content: systemShape }),
]);

export type Message = z.infer<typeof messageShape>;
export type TextBlock = z.infer<typeof textBlock>;
export type UserBlock = Extract<Message, { role: 'user' }>['content'][number];
export type AssistantBlock = Extract<Message, { role: 'assistant' }>['content'][number];
