// An endpoint of Anthropic's API: its errors, and an id of the request in a header of every answer.
import type { Endpoint } from '../endpoint.ts';
import { errorBody, requestId } from './error-body.ts';

export const anthropicEndpoint = (method: Endpoint['method'], path: string, handle: Endpoint['handle']): Endpoint => ({
  ...{ method, path, errorBody, requestId, handle },
});
