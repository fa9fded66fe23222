// The content of messages in Anthropic's API: a text, or a list of blocks. `cache_control` may stand at any block: prompts
// are cached here without being told.
import { z } from 'zod';
import { anyObject, listOf } from '../large-shapes.ts';
import { unknownType } from '../unknown-type.ts';
import { tool } from './tool-shape.ts';

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

/** What a search for tools found: they are offered from there on. */
const toolReference = z.looseObject({ type: z.literal('tool_reference'), tool_name: z.string() });

/** How instructions add a tool to what is offered, and take it away. */
const namedTool = z.looseObject({ type: z.literal('tool_reference'), name: z.string() });
const givenTool = z.looseObject({ type: z.literal('tool_definition'), definition: tool });
const toolAddition = z.looseObject({
  type: z.literal('tool_addition'),
  tool: kinds('a tool that is added', [namedTool, givenTool]),
});
const toolRemoval = z.looseObject({
  type: z.literal('tool_removal'),
  tool: kinds('a tool that is removed', [namedTool]),
});

const toolResult = z.looseObject({
  type: z.literal('tool_result'),
  tool_use_id: z.string(),
  content: blocks(kinds('content of a tool result', [textBlock, toolReference])).nullish(),
  is_error: z.boolean().nullish(),
});

export const systemShape = blocks(kinds('content of a system prompt', [textBlock]));
export const effort = z.enum(['low', 'medium', 'high', 'xhigh', 'max']).nullish();

export const messageShape = z.discriminatedUnion('role', [
  z.looseObject({ role: z.literal('user'), content: blocks(kinds('content of the user', [textBlock, toolResult])) }),
  z.looseObject({
    role: z.literal('assistant'),
    content: blocks(kinds('content of the assistant', [textBlock, thinkingBlock, redactedThinking, toolUse])),
  }),
  z.looseObject({
    role: z.literal('system'),
    content: blocks(kinds('content of a system message', [textBlock, toolAddition, toolRemoval])).nullish(),
    clear_at: z.enum(['never', 'next_user_message']).nullish(),
    output_config: z.looseObject({ effort }).nullish(),
  }),
]);

export type Message = z.infer<typeof messageShape>;
export type TextBlock = z.infer<typeof textBlock>;
export type SystemMessage = Extract<Message, { role: 'system' }>;
export type SystemBlock = NonNullable<SystemMessage['content']>[number];
export type UserBlock = Extract<Message, { role: 'user' }>['content'][number];
export type AssistantBlock = Extract<Message, { role: 'assistant' }>['content'][number];
