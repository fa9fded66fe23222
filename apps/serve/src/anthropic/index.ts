// Anthropic's API.
import type { Endpoint } from '../endpoint.ts';
import { countTokens } from './count-tokens.ts';
import { messages } from './messages.ts';
import { model, models } from './models.ts';

export const anthropic: readonly Endpoint[] = [messages, countTokens, models, model];
