// Endpoints of Ollama's API: failures are `{"error": "<text>"}` there, and a model may be named with `:latest` behind it.
import type { ApiError } from '../api-error.ts';
import type { Endpoint } from '../endpoint.ts';

/** The code and the field stand beside the text, which is all that Ollama's clients read. */
export const errorBody = ({ message, code, param }: ApiError): object => ({
  error: message,
  code,
  ...(param !== null && { param }),
});

export const ollamaEndpoint = (method: Endpoint['method'], path: string, handle: Endpoint['handle']): Endpoint => ({
  method,
  path,
  errorBody,
  handle,
});

/** Ollama's clients add the tag that means the newest. */
export const withoutLatest = (name: string): string => name.replace(/:latest$/, '');
