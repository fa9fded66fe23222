// Ollama's API.
import type { Endpoint } from '../endpoint.ts';
import { blobs } from './blobs.ts';
import { chat } from './chat.ts';
import { create } from './create.ts';
import { embed, embeddings } from './embed.ts';
import { generate } from './generate.ts';
import { running, show, tags, version } from './lists.ts';
import { manage } from './manage.ts';

export const ollama: readonly Endpoint[] = [
  ...[chat, generate, embed, embeddings],
  ...[tags, running, show, version],
  create,
  ...blobs,
  ...manage,
];
