// The body of POST /v1/responses, and what of it the prompt is made of (docs/serving-responses.md has the table).
import { z } from 'zod';
import { generationFields } from '../../generate/generation-request.ts';
import type { UnsupportedField } from '../../generate/unsupported.ts';
import { inputShape } from './item-shapes.ts';

const schema = z.record(z.string(), z.unknown());

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
  tools: z.array(z.discriminatedUnion('type', [functionTool, customTool])),
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
      tools: z.array(z.looseObject({ type: z.string(), name: z.string().nullish() })),
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

const promptFields = {
  input: inputShape.nullish(),
  instructions: z.string().nullish(),
  previous_response_id: z.string().nullish(),
  tools: z.array(tool).nullish(),
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
      verbosity: z
        .literal('medium', 'nothing here makes a model say more or less; say it in the instructions')
        .nullish(),
    })
    .nullish(),
  chat_template_kwargs: z.record(z.string(), z.unknown()).nullish(),
};

const { n: _n, stream_options: _options, max_tokens: _max, ...shared } = generationFields;

export const promptShape = z.looseObject({ model: z.string().nullish(), ...promptFields });
export type PromptRequest = z.infer<typeof promptShape>;

export const responsesShape = z.looseObject({
  ...shared,
  ...promptFields,
  max_output_tokens: z.int().min(1).nullish(),
  include: z.array(included).nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
  store: z.boolean().nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
  prompt_cache_key: z.string().nullish(),
  safety_identifier: z.string().nullish(),
  user: z.string().nullish(),
});
export type ResponsesRequest = z.infer<typeof responsesShape>;

const given = (value: unknown): boolean => value !== undefined && value !== null;
const on = (value: unknown): boolean =>
  given(value) && value !== false && !(Array.isArray(value) && value.length === 0);

/** OpenAI's fields that nothing here can do, and those of its other APIs that have another name in this one. */
export const unsupportedFields: readonly UnsupportedField[] = [
  { field: 'background', asks: on, why: 'A response is made while its client waits.' },
  { field: 'conversation', asks: given, why: 'There are no conversations; use previous_response_id.' },
  { field: 'prompt', asks: given, why: 'No prompts are stored here; use input and instructions.' },
  { field: 'context_management', asks: on, why: 'Nothing is cut out of a prompt.' },
  { field: 'moderation', asks: given, why: 'Nothing is moderated.' },
  {
    field: 'truncation',
    asks: (value) => given(value) && value !== 'disabled',
    why: 'A prompt is never cut; use "disabled".',
  },
  { field: 'messages', asks: given, why: 'Use input.' },
  { field: 'max_tokens', asks: given, why: 'Use max_output_tokens.' },
  { field: 'max_completion_tokens', asks: given, why: 'Use max_output_tokens.' },
  { field: 'n', asks: (value) => given(value) && value !== 1, why: 'A response is one reply.' },
  { field: 'best_of', asks: (value) => given(value) && value !== 1, why: 'A response is one reply.' },
  { field: 'use_beam_search', asks: (value) => value === true, why: 'A response is one reply.' },
  { field: 'logprobs', asks: on, why: 'Use top_logprobs.' },
  { field: 'reasoning_effort', asks: given, why: 'Use reasoning.effort.' },
];
