// An endpoint of Anthropic's API: its errors, and an id of the request in a header of every answer.
import { ApiError, toApiError } from '../api-error.ts';
import type { Endpoint } from '../endpoint.ts';
import { errorBody, requestId, requestIdHeader } from './error-body.ts';

export const anthropicEndpoint = (method: Endpoint['method'], path: string, answer: Endpoint['handle']): Endpoint => ({
  method,
  path,
  errorBody,
  async handle(context, server) {
    const id = requestId();
    try {
      const response = await answer(context, server);
      response.headers.set(requestIdHeader, id);
      return response;
    } catch (error) {
      const { status, code, message, param, headers } = toApiError(error);
      throw new ApiError(status, code, message, {
        ...(param === null ? {} : { param }),
        headers: { ...headers, [requestIdHeader]: id },
      });
    }
  },
});
