// llama-server's own endpoints, and its form of failures for all of them.
import type { Endpoint } from '../endpoint.ts';
import { applyTemplate } from './apply-template.ts';
import { chatInputTokens } from './chat-input-tokens.ts';
import { completion } from './completion.ts';
import { embedding } from './embedding.ts';
import { errorBody } from './error-body.ts';
import { health } from './health.ts';
import { infill } from './infill.ts';
import { changeLoraAdapters, loraAdapters } from './lora-adapters.ts';
import { metricsPage } from './metrics.ts';
import { changeProps, props } from './props.ts';
import { loadModel, unloadModel } from './router.ts';
import { slotAction, slots } from './slots.ts';
import { detokenize, tokenize } from './tokenize.ts';

const all: readonly Endpoint[] = [
  health,
  metricsPage,
  slots,
  slotAction,
  loraAdapters,
  changeLoraAdapters,
  completion,
  infill,
  tokenize,
  detokenize,
  applyTemplate,
  chatInputTokens,
  props,
  changeProps,
  embedding,
  loadModel,
  unloadModel,
];

export const llamaServer = all.map((endpoint): Endpoint => ({ ...endpoint, errorBody }));
