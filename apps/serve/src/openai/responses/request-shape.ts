// The body of POST /v1/responses, and what of it the prompt is made of (docs/serving-responses.md has the table).
import { z } from 'zod';
import { generationFields } from '../../generate/generation-request.ts';
import { oneReplyFields, oneReplyRefusals } from '../../generate/one-reply-fields.ts';
import { asksForSomething, type RefusedField } from '../../generate/refused-fields.ts';
import { anyObject, listOf, longListOf, templateVariables } from '../../large-shapes.ts';
import { inputShape } from './item-shapes.ts';

const schema = anyObject;

const format = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('text') }),
  z.looseObject({ type: z.literal('json_object') }),
  z.looseObject({
    type: z.literal('json_schema'),
    name: z.string().nullish(),
    schema,
    strict: z.boolean().nullish(),
  }),
]);

const functionTool = z.looseObject({
  type: z.literal('function'),
  name: z.string().min(1),
  description: z.string().nullish(),
  parameters: schema.nullish(),
  strict: z.boolean().nullish(),
});

const customTool = z.looseObject({
  type: z.literal('custom'),
  name: z.string().min(1),
  description: z.string().nullish(),
  format: z
    .discriminatedUnion('type', [
      z.looseObject({ type: z.literal('text') }),
      z.looseObject({ type: z.literal('grammar'), syntax: z.enum(['lark', 'regex']), definition: z.string() }),
    ])
    .nullish(),
});

const namespace = z.looseObject({
  type: z.literal('namespace'),
  name: z.string().min(1),
  tools: listOf(z.discriminatedUnion('type', [functionTool, customTool])),
});

/** Tools that OpenAI runs itself, or that are no tools of this server's. */
const otherTool = z.looseObject({ type: z.string().refine((type) => !ownTypes.has(type)) });
const ownTypes = new Set(['function', 'custom', 'namespace']);
export type FunctionTool = z.infer<typeof functionTool>;
export type CustomTool = z.infer<typeof customTool>;
export type NamespaceTool = z.infer<typeof namespace>;
const tool = z.union(
  [functionTool, customTool, namespace, otherTool],
  'expected {"type": "function", "name", "parameters"}, {"type": "custom", "name"} or {"type": "namespace", "name", "tools"}',
);

const toolChoice = z.union(
  [
    z.enum(['auto', 'none', 'required']),
    z.looseObject({ type: z.enum(['function', 'custom']), name: z.string() }),
    z.looseObject({
      type: z.literal('allowed_tools'),
      mode: z.enum(['auto', 'required']),
      tools: listOf(z.looseObject({ type: z.string(), name: z.string().nullish() })),
    }),
  ],
  'expected "auto", "none", "required", a tool of the request, or allowed_tools',
);

/** Of these the first two do something; the others concern tools that are not here. */
const included = z.enum([
  'reasoning.encrypted_content',
  'message.output_text.logprobs',
  'message.input_image.image_url',
  'file_search_call.results',
  'web_search_call.results',
  'web_search_call.action.sources',
  'code_interpreter_call.outputs',
  'computer_call_output.output.image_url',
]);

const summary = z.enum(['auto', 'concise', 'detailed']).nullish();

/** For what changes no answer of this server's. */
const anything = z.unknown().optional();

const promptFields = {
  input: inputShape.nullish(),
  instructions: z.string().nullish(),
  previous_response_id: z.string().nullish(),
  tools: longListOf(tool).nullish(),
  tool_choice: toolChoice.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  reasoning: z
    .looseObject({
      effort: z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']).nullish(),
      summary,
      generate_summary: summary,
      context: z.literal('auto', 'what is kept of earlier reasoning is the matter of the template').nullish(),
      mode: z.literal('standard', 'there is one mode, "standard"').nullish(),
    })
    .nullish(),
  text: z
    .looseObject({
      format: format.nullish(),
      verbosity: z.enum(['low', 'medium', 'high']).nullish(),
    })
    .nullish(),
  chat_template_kwargs: templateVariables.nullish(),
};

export const promptShape = z.looseObject({ model: z.string().nullish(), ...promptFields });
export type PromptRequest = z.infer<typeof promptShape>;

export const responsesShape = z.looseObject({
  ...oneReplyFields,
  ...promptFields,
  max_output_tokens: z.int().min(1).nullish(),
  include: listOf(included).nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
  store: z.boolean().nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
  prompt_cache_key: z.string().nullish(),
  safety_identifier: z.string().nullish(),
  user: z.string().nullish(),
  ...{ max_tool_calls: anything, prompt_cache_options: anything, client_metadata: anything },
  stream_options: generationFields.stream_options,
});
export type ResponsesRequest = z.infer<typeof responsesShape>;

/** OpenAI's fields that nothing here can do, and those of its other APIs that have another name in this one. */
export const refusedFields: readonly RefusedField[] = [
  { field: 'background', asks: asksForSomething, why: 'A response is made while its client waits.' },
  { field: 'conversation', asks: asksForSomething, why: 'There are no conversations; use previous_response_id.' },
  { field: 'prompt', asks: asksForSomething, why: 'No prompts are stored here; use input and instructions.' },
  { field: 'context_management', asks: asksForSomething, why: 'Nothing is cut out of a prompt.' },
  { field: 'moderation', asks: asksForSomething, why: 'Nothing is moderated.' },
  {
    field: 'truncation',
    asks: (value) => asksForSomething(value) && value !== 'disabled',
    why: 'A prompt is never cut; use "disabled".',
  },
  { field: 'messages', asks: (value) => value !== undefined && value !== null, why: 'Use input.' },
  { field: 'logprobs', asks: asksForSomething, why: 'Use top_logprobs.' },
  { field: 'reasoning_effort', asks: asksForSomething, why: 'Use reasoning.effort.' },
  ...oneReplyRefusals('max_output_tokens'),
];
