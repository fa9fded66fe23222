// The body of POST /v1/messages, and what of it the prompt is made of (docs/serving-anthropic.md has the table). The
// sampler's fields are llama-server's, for clients that want more than Anthropic's.
import { z } from 'zod';
import { oneReplyFields, oneReplyRefusals } from '../generate/one-reply-fields.ts';
import { asksForSomething, type RefusedField } from '../generate/refused-fields.ts';
import { anyObject, isFilled, listOf, longListOf, templateVariables } from '../large-shapes.ts';
import { effort, messageShape, systemShape } from './content-blocks.ts';
import { tool } from './tool-shape.ts';

const schema = z.looseObject({ type: z.literal('json_schema'), schema: anyObject });

const oneCall = { disable_parallel_tool_use: z.boolean().nullish() };
const toolChoice = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('auto'), ...oneCall }),
  z.looseObject({ type: z.literal('any'), ...oneCall }),
  z.looseObject({ type: z.literal('tool'), name: z.string(), ...oneCall }),
  z.looseObject({ type: z.literal('none') }),
]);

/** How much of the thoughts is told on the way: Claude Code has words of its own for it. All but `omitted` get them whole. */
const display = z.enum(['summarized', 'omitted', 'updates', 'highlights']).nullish();
const thinking = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('enabled'), budget_tokens: z.int().min(0), display }),
  z.looseObject({ type: z.literal('adaptive'), display }),
  z.looseObject({ type: z.literal('disabled') }),
]);

const edit = z.looseObject({
  type: z.literal('clear_thinking_20251015', {
    error: ({ input }) => `edits of type "${input}" are not supported; nothing but thinking is left out of a prompt`,
  }),
  keep: z
    .union([z.literal('all'), z.looseObject({ type: z.literal('thinking_turns'), value: z.int().min(1) })])
    .nullish(),
});

/** For what changes no answer of this server's. */
const anything = z.unknown().optional();

const promptFields = {
  messages: longListOf(messageShape).refine(isFilled, 'expected one message at least'),
  system: systemShape.nullish(),
  tools: longListOf(tool).nullish(),
  tool_choice: toolChoice.nullish(),
  thinking: thinking.nullish(),
  output_config: z
    .looseObject({
      effort,
      format: schema.nullish(),
    })
    .nullish(),
  /** Its name before there was `output_config`. */
  output_format: schema.nullish(),
  context_management: z.looseObject({ edits: listOf(edit).nullish() }).nullish(),
  chat_template_kwargs: templateVariables.nullish(),
  ...{ cache_control: anything, speed: anything, inference_geo: anything, diagnostics: anything },
  ...{ user_profile_id: anything, workspace_id: anything },
};

const { stop: _stop, ...shared } = oneReplyFields;

export const promptShape = z.looseObject({ model: z.string().nullish(), ...promptFields });
export type PromptRequest = z.infer<typeof promptShape>;

export const messagesShape = z.looseObject({
  ...shared,
  ...promptFields,
  max_tokens: z.int().min(1),
  stop_sequences: z.array(z.string().min(1)).max(64).nullish(),
});
export type MessagesRequest = z.infer<typeof messagesShape>;

/** Anthropic's fields that nothing here can do, and OpenAI's that have another name in this API. */
export const refusedFields: readonly RefusedField[] = [
  { field: 'container', asks: asksForSomething, why: 'There are no containers.' },
  { field: 'mcp_servers', asks: asksForSomething, why: 'No MCP servers are called; describe their tools.' },
  { field: 'stop', asks: asksForSomething, why: 'Use stop_sequences.' },
  { field: 'logprobs', asks: asksForSomething, why: 'This API has no log probabilities.' },
  { field: 'top_logprobs', asks: asksForSomething, why: 'This API has no log probabilities.' },
  { field: 'reasoning_effort', asks: asksForSomething, why: 'Use output_config.effort.' },
  { field: 'parallel_tool_calls', asks: (value) => value === false, why: 'Use tool_choice.' },
  ...oneReplyRefusals('max_tokens'),
];
