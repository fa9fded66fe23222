// The table of endpoints. A new endpoint is one file here and one row below (docs/adding/endpoint.md).
import type { Endpoint } from '../endpoint.ts';
import { chatCompletions } from './chat-completions.ts';
import { completions } from './completions.ts';
import { health } from './health.ts';
import { metricsPage } from './metrics.ts';
import { model, models } from './models.ts';
import { page } from './page.ts';
import { slotAction, slots } from './slots.ts';

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
