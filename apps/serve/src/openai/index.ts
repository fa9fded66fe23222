// OpenAI's endpoints.
import type { Endpoint } from '../endpoint.ts';
import { chatCompletions } from './chat-completions.ts';
import { completions } from './completions.ts';
import { embeddings } from './embeddings.ts';
import { model, models } from './models.ts';

export const openAi: readonly Endpoint[] = [models, model, chatCompletions, completions, embeddings];
