// The table of endpoints: the page, and a list per API. A new endpoint is one file in its API's folder and one row in the
// folder's index.ts (docs/adding/endpoint.md).
import { anthropic } from './anthropic/index.ts';
import type { Endpoint } from './endpoint.ts';
import { llamaServer } from './llama-server/index.ts';
import { ollama } from './ollama/index.ts';
import { openAi } from './openai/index.ts';
import { page } from './page.ts';
import { rerank } from './rerank/rerank.ts';

export const endpoints: readonly Endpoint[] = [page, ...openAi, ...anthropic, ...ollama, ...llamaServer, ...rerank];
