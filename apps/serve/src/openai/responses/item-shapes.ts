// Items, which a response is asked with and consists of (docs/serving-responses.md).
import { z } from 'zod';
import { listOf, longListOf } from '../../large-shapes.ts';
import { unknownType } from '../../unknown-type.ts';

/** A text, or parts of it, becomes parts. */
const parts = (place: string, type: 'input_text' | 'output_text') =>
  z.preprocess(
    (value) => (typeof value === 'string' ? [{ type, text: value }] : value),
    listOf(
      z.discriminatedUnion(
        'type',
        [
          z.looseObject({ type: z.enum(['input_text', 'output_text', 'text']), text: z.string() }),
          z.looseObject({ type: z.literal('refusal'), refusal: z.string() }),
        ],
        { error: unknownType(place) },
      ),
    ),
  );

const id = z.string().nullish();
const namespace = z.string().nullish();
const content = parts('content', 'input_text');
const output = parts('output', 'input_text');
const assistantContent = parts('content', 'output_text');

const message = z.discriminatedUnion('role', [
  z.looseObject({ type: z.literal('message'), id, role: z.enum(['user', 'system', 'developer']), content }),
  z.looseObject({ type: z.literal('message'), id, role: z.literal('assistant'), content: assistantContent }),
]);

const summaryText = z.looseObject({ type: z.literal('summary_text'), text: z.string() });
const reasoningText = z.looseObject({ type: z.enum(['reasoning_text', 'text']), text: z.string() });

/** Codex sends it back with and without summary, content and seal. */
const reasoning = z.looseObject({
  type: z.literal('reasoning'),
  id,
  summary: listOf(summaryText).nullish(),
  content: listOf(reasoningText).nullish(),
  encrypted_content: z.string().nullish(),
});

const call = { id, call_id: z.string(), name: z.string().min(1), namespace };
const functionCall = z.looseObject({ type: z.literal('function_call'), ...call, arguments: z.string() });
const customCall = z.looseObject({ type: z.literal('custom_tool_call'), ...call, input: z.string() });

const callOutput = z.looseObject({
  type: z.enum(['function_call_output', 'custom_tool_call_output']),
  id,
  call_id: z.string(),
  output,
});

const reference = z.looseObject({ type: z.literal('item_reference'), id: z.string() });

/** Messages and references may come without a type. */
function withType(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || (value as { type?: unknown }).type) return value;
  return { ...value, type: 'role' in value ? 'message' : 'item_reference' };
}

const itemShape = z.preprocess(
  withType,
  z.discriminatedUnion('type', [message, reasoning, functionCall, customCall, callOutput, reference], {
    error: unknownType('an item'),
  }),
);

export const inputShape = z.preprocess(
  (value) => (typeof value === 'string' ? [{ type: 'message', role: 'user', content: value }] : value),
  longListOf(itemShape),
);

type InputItem = z.infer<typeof itemShape>;
export type ItemReference = z.infer<typeof reference>;
/** What a conversation consists of. */
export type Item = Exclude<InputItem, ItemReference>;
export type ContentPart = Extract<Item, { type: 'message' }>['content'][number];
