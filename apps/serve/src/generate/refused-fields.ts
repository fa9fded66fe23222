// Request fields that would change the answer and that this server cannot honour. Ignoring them would give a wrong answer
// that looks right (an unconstrained reply to a schema request), so they are refused with 400. One row per field: OpenAI's,
// then vLLM's and llama-server's. An endpoint that has the field in its shape honours it, whatever stands here.
import { ApiError } from '../api-error.ts';

export interface RefusedField {
  readonly field: string;
  /** True when the value asks for something; the neutral values that SDKs send by default pass. */
  asks(value: unknown): boolean;
  why: string;
}

const given = (value: unknown): boolean => value !== undefined && value !== null;
/** Neither null nor what these servers take for "off": false, 0, -1, an empty text, list or object. */
export const asksForSomething = (value: unknown): boolean => {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return given(value) && value !== false && value !== 0 && value !== -1 && value !== '';
};
/** Anything but null and `neutral`. */
const otherThan =
  (...neutral: readonly unknown[]) =>
  (value: unknown): boolean =>
    given(value) && !neutral.includes(value);

const spacing = 'The white space of JSON cannot be chosen.';
const template = 'The model’s own chat template and reader are used.';
const elsewhere = (field: string) => `Use ${field} here.`;
const asText = 'Only text goes in and comes out.';

export const refusedFields: readonly RefusedField[] = [
  // OpenAI
  { field: 'functions', asks: given, why: 'Obsolete; use tools.' },
  { field: 'function_call', asks: given, why: 'Obsolete; use tools.' },
  { field: 'audio', asks: given, why: asText },
  {
    field: 'modalities',
    asks: (value) => given(value) && !(Array.isArray(value) && value.every((mode) => mode === 'text')),
    why: asText,
  },
  { field: 'web_search_options', asks: given, why: 'Nothing is searched.' },
  // What other endpoints have.
  { field: 'max_completion_tokens', asks: given, why: elsewhere('max_tokens') },
  { field: 'max_new_tokens', asks: given, why: elsewhere('max_tokens') },
  { field: 'n_predict', asks: otherThan(-1), why: elsewhere('max_tokens') },
  { field: 'return_token_ids', asks: asksForSomething, why: 'This endpoint tells no token ids.' },
  { field: 'timings_per_token', asks: asksForSomething, why: 'This endpoint tells no times.' },
  { field: 'echo', asks: asksForSomething, why: 'A prompt is repeated by /v1/completions alone.' },
  { field: 'suffix', asks: asksForSomething, why: 'Text is inserted by /v1/completions and /infill.' },
  { field: 'prompt_embeds', asks: given, why: 'A prompt is text or token ids.' },
  // vLLM
  { field: 'logits_processors', asks: asksForSomething, why: 'Tokens are allowed and forbidden by logit_bias.' },
  { field: 'prompt_logprobs', asks: given, why: 'Use echo and logprobs of /v1/completions.' },
  { field: 'logprob_token_ids', asks: asksForSomething, why: 'The likeliest tokens are told: use top_logprobs.' },
  { field: 'return_tokens_as_token_ids', asks: asksForSomething, why: 'Tokens are told by their texts.' },
  { field: 'truncate_prompt_tokens', asks: given, why: 'A prompt is never cut.' },
  { field: 'chat_template', asks: asksForSomething, why: template },
  { field: 'guided_whitespace_pattern', asks: given, why: spacing },
  { field: 'repetition_detection', asks: asksForSomething, why: elsewhere('dry_multiplier') },
  { field: 'cache_salt', asks: asksForSomething, why: 'What is kept of earlier requests is one for all clients.' },
  { field: 'mm_processor_kwargs', asks: asksForSomething, why: asText },
  { field: 'media_io_kwargs', asks: asksForSomething, why: asText },
  { field: 'vllm_xargs', asks: asksForSomething, why: 'There are no extensions.' },
  { field: 'kv_transfer_params', asks: asksForSomething, why: 'Keys and values stay on this server.' },
  // Ollama's name, which its users send to OpenAI's endpoints.
  { field: 'format', asks: asksForSomething, why: elsewhere('response_format') },
  // llama-server
  { field: 'n_cmpl', asks: otherThan(1), why: elsewhere('n') },
  { field: 'n_probs', asks: asksForSomething, why: elsewhere('logprobs') },
  { field: 'post_sampling_probs', asks: asksForSomething, why: 'Log probabilities are the model’s own.' },
  { field: 'n_indent', asks: asksForSomething, why: 'Lines have no least indentation.' },
  { field: 'return_tokens', asks: asksForSomething, why: elsewhere('return_token_ids') },
  { field: 'return_progress', asks: asksForSomething, why: 'The progress of a prompt is not told.' },
  { field: 'response_fields', asks: asksForSomething, why: 'Fields are chosen on /completion alone.' },
  { field: 'verbose', asks: asksForSomething, why: 'There is nothing more to tell.' },
  { field: 'id_slot', asks: otherThan(-1), why: 'Places are given by the engine.' },
  { field: 'chat_format', asks: given, why: template },
  { field: 'chat_parser', asks: asksForSomething, why: template },
  { field: 'generation_prompt', asks: asksForSomething, why: template },
];

/** @throws ApiError 400 `unsupported_parameter` naming the first field that cannot be honoured */
export function refuseFields(fields: readonly (readonly [string, unknown])[], refused: readonly RefusedField[]): void {
  for (const [name, value] of fields) {
    const row = refused.find(({ field }) => field === name);
    if (row?.asks(value)) throw new ApiError(400, 'unsupported_parameter', `${name}: ${row.why}`, { param: name });
  }
}
