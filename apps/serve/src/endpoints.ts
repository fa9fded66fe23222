// The table of endpoints. A new endpoint is one file in its API's folder and one row below (docs/adding/endpoint.md).
import type { Endpoint } from './endpoint.ts';
import { health } from './llama-server/health.ts';
import { metricsPage } from './llama-server/metrics.ts';
import { slotAction, slots } from './llama-server/slots.ts';
import { chatCompletions } from './openai/chat-completions.ts';
import { completions } from './openai/completions.ts';
import { model, models } from './openai/models.ts';
import { page } from './page.ts';

export const endpoints: readonly Endpoint[] = [
  page,
  health,
  metricsPage,
  slots,
  slotAction,
  models,
  model,
  chatCompletions,
  completions,
];
