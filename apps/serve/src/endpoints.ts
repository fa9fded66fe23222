// The table of endpoints: the page, and a list per API. A new endpoint is one file in its API's folder and one row in the
// folder's index.ts (docs/adding/endpoint.md). Of two with one path, the one that answers some clients alone stands first.
import { anthropic } from './anthropic/index.ts';
import type { Endpoint } from './endpoint.ts';
import { llamaServer } from './llama-server/index.ts';
import { ollama } from './ollama/index.ts';
import { openAi } from './openai/index.ts';
import { page } from './page.ts';
import { rerank } from './rerank/rerank.ts';
import { score } from './rerank/score.ts';

export const endpoints: readonly Endpoint[] = [
  page,
  ...anthropic,
  ...openAi,
  ...ollama,
  ...llamaServer,
  ...rerank,
  score,
];

/** How the API of a path tells of failures; undefined: as OpenAI's does. */
export const errorFormAt = (path: string): Endpoint['errorBody'] =>
  endpoints.find((endpoint) => endpoint.path === path || endpoint.aliases?.includes(path))?.errorBody;
