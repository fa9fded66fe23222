// Request fields that would change the answer and that this server cannot honour. Ignoring them would give a wrong answer
// that looks right (an unconstrained reply to a schema request), so they are refused with 400. One row per field: OpenAI's,
// then those of vLLM and llama-server that this server does not have.
import { ApiError } from '../api-error.ts';

export interface UnsupportedField {
  field: string;
  /** True when the value asks for something; the neutral values that SDKs send by default pass. */
  asks(value: unknown): boolean;
  why: string;
}

const given = (value: unknown): boolean => value !== undefined && value !== null;
/** Neither null nor what these servers take for "off": false, 0, an empty list. */
const on = (value: unknown): boolean =>
  given(value) && value !== false && value !== 0 && !(Array.isArray(value) && value.length === 0);

const heldReply = 'The reply is held by response_format, json_schema or grammar.';
const allowedTokens = 'Tokens are allowed and forbidden by logit_bias.';
const stopTexts = 'A reply is stopped by the texts of stop.';
const unfinishedReply = 'A reply that was begun cannot be continued in a chat; use /v1/completions.';

export const unsupportedFields: readonly UnsupportedField[] = [
  { field: 'functions', asks: given, why: 'The functions field is obsolete; use tools.' },
  { field: 'function_call', asks: given, why: 'The function_call field is obsolete; use tools.' },
  { field: 'echo', asks: (value) => value === true, why: 'Echoing the prompt is not supported.' },
  { field: 'suffix', asks: (value) => given(value) && value !== '', why: 'Text insertion (suffix) is not supported.' },
  { field: 'audio', asks: given, why: 'Audio output is not supported.' },
  {
    field: 'modalities',
    asks: (value) => given(value) && !(Array.isArray(value) && value.every((mode) => mode === 'text')),
    why: 'Only text output is supported.',
  },
  { field: 'web_search_options', asks: given, why: 'Nothing is searched.' },
  { field: 'structured_outputs', asks: given, why: heldReply },
  { field: 'guided_json', asks: given, why: heldReply },
  { field: 'guided_regex', asks: given, why: heldReply },
  { field: 'guided_choice', asks: given, why: heldReply },
  { field: 'guided_grammar', asks: given, why: heldReply },
  { field: 'allowed_token_ids', asks: given, why: allowedTokens },
  { field: 'bad_words', asks: on, why: allowedTokens },
  { field: 'logits_processors', asks: on, why: allowedTokens },
  { field: 'stop_token_ids', asks: on, why: stopTexts },
  { field: 'include_stop_str_in_output', asks: on, why: 'What stops a reply is no part of its text.' },
  { field: 'min_tokens', asks: on, why: 'A reply has no least length.' },
  { field: 'prompt_logprobs', asks: given, why: 'There are log probabilities of the reply alone.' },
  { field: 'truncate_prompt_tokens', asks: given, why: 'A prompt is never cut.' },
  { field: 'continue_final_message', asks: on, why: unfinishedReply },
  { field: 'add_generation_prompt', asks: (value) => value === false, why: unfinishedReply },
  { field: 'n_predict', asks: (value) => given(value) && value !== -1, why: 'Use max_tokens.' },
  { field: 'max_new_tokens', asks: given, why: 'Use max_tokens.' },
];

/** @throws ApiError 400 `unsupported_parameter` naming the first field that cannot be honoured */
export function refuseUnsupported(
  body: Readonly<Record<string, unknown>>,
  fields: readonly UnsupportedField[] = unsupportedFields,
): void {
  for (const { field, asks, why } of fields) {
    if (asks(body[field])) throw new ApiError(400, 'unsupported_parameter', why, { param: field });
  }
}
