// llama-server's form of a failure: `{error: {code: <status>, message, type}}`. Facts: tools/server/server-common.cpp of llama.cpp 0.5.0.
import type { ApiError, ErrorStatus } from '../api-error.ts';
import { openAiStream, type StreamForm } from '../stream-form.ts';

const types: Partial<Record<ErrorStatus, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  500: 'server_error',
  501: 'not_supported_error',
  503: 'unavailable_error',
};

export function errorBody({ status, code, namedMessage: message, tokens }: ApiError): object {
  const type = code === 'context_length_exceeded' ? 'exceed_context_size_error' : types[status];
  const numbers = tokens && { n_prompt_tokens: tokens.prompt, n_ctx: tokens.context };
  return { error: { code: status, message, type: type ?? 'invalid_request_error', ...numbers } };
}

/** OpenAI's, with failures of its own form, and no word to say that it is over. */
export const eventStream: StreamForm = {
  ...openAiStream,
  end: '',
  failure: (error) => openAiStream.write(errorBody(error)),
};
