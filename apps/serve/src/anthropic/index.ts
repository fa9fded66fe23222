// Anthropic's API.
import type { Endpoint } from '../endpoint.ts';
import { countTokens } from './count-tokens.ts';
import { messages } from './messages.ts';

export const anthropic: readonly Endpoint[] = [messages, countTokens];
