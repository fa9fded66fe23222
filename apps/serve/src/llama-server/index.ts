// llama-server's own endpoints.
import type { Endpoint } from '../endpoint.ts';
import { embedding } from './embedding.ts';
import { health } from './health.ts';
import { metricsPage } from './metrics.ts';
import { slotAction, slots } from './slots.ts';

export const llamaServer: readonly Endpoint[] = [health, metricsPage, slots, slotAction, embedding];
