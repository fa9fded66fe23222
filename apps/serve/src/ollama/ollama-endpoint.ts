// Endpoints of Ollama's API: failures are `{"error": "<text>"}` there, and a model may be named with `:latest` behind it.
import type { ApiError } from '../api-error.ts';
import type { Endpoint } from '../endpoint.ts';

/** Fields of the chat that have another name here. */
const names = { json_schema: 'format', response_format: 'format', thinking_budget: 'think' };

/** The code and the field stand beside the text, which is all that Ollama's clients read. */
export function errorBody(error: ApiError): object {
  const { namedMessage, code, param } = error.renamed(names);
  return { error: namedMessage, code, ...(param !== null && { param }) };
}

export const ollamaEndpoint = (method: Endpoint['method'], path: string, handle: Endpoint['handle']): Endpoint => ({
  method,
  path,
  errorBody,
  handle,
});

/** Ollama's clients add the tag that means the newest. */
export const withoutLatest = (name: string): string => name.replace(/:latest$/, '');
