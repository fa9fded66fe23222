// OpenAI's endpoints.
import type { Endpoint } from '../endpoint.ts';
import { chatCompletions } from './chat-completions.ts';
import { completions } from './completions.ts';
import { embeddings } from './embeddings.ts';
import { model, models } from './models.ts';
import { responses } from './responses/index.ts';

export const openAi: readonly Endpoint[] = [models, model, chatCompletions, completions, ...responses, embeddings];
