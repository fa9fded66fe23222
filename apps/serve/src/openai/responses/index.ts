// OpenAI's Responses API.
import type { Endpoint } from '../../endpoint.ts';
import { createResponse } from './create.ts';
import { inputTokens } from './input-tokens.ts';
import { deleteResponse, getResponse, inputItems } from './stored.ts';

export const responses: readonly Endpoint[] = [createResponse, inputTokens, getResponse, deleteResponse, inputItems];
