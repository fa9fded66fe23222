// Anthropic's error object, `{type: "error", error: {type, message}, request_id}`.

import type { ApiError, ErrorStatus } from '../api-error.ts';
import { randomId } from '../random-id.ts';

const types: Partial<Record<ErrorStatus, string>> = {
  401: 'authentication_error',
  404: 'not_found_error',
  408: 'timeout_error',
  413: 'request_too_large',
  500: 'api_error',
  503: 'overloaded_error',
  504: 'timeout_error',
};

/** The header that the SDK takes a request's id from. */
const requestIdHeader = 'request-id';
export const requestId = { header: requestIdHeader, make: (): string => randomId('req_') };

/** Fields of the chat that have another name here. */
const names: Readonly<Record<string, string>> = {
  response_format: 'output_config.format',
  continue_final_message: 'messages',
  parallel_tool_calls: 'tool_choice.disable_parallel_tool_use',
  thinking_budget: 'thinking.budget_tokens',
};

export function errorBody(given: ApiError) {
  const { status, namedMessage, headers } = given.renamed(names);
  const error = { type: types[status] ?? 'invalid_request_error', message: namedMessage };
  const id = headers[requestIdHeader];
  // An event in a stream has none, as in Anthropic's own.
  return { type: 'error', error, ...(id !== undefined && { request_id: id }) };
}
