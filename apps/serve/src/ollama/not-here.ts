// What of Ollama's API this server does not do, and what to do instead: models are files, fetched and made by commands.
import { ApiError } from '../api-error.ts';
import type { Endpoint } from '../endpoint.ts';
import { ollamaEndpoint } from './ollama-endpoint.ts';

const instead: readonly (readonly [Endpoint['method'], string, string])[] = [
  ['POST', '/api/pull', 'Fetch models with quern pull; a server of --models-cached offers what is there.'],
  ['POST', '/api/push', 'Nothing is uploaded.'],
  [
    'POST',
    '/api/create',
    'Make models with quern convert and quern quantize, and give them names in a file of presets (--preset).',
  ],
  ['POST', '/api/copy', 'Give a model further names in a file of presets (--preset).'],
  ['DELETE', '/api/delete', 'Remove models with quern rm.'],
];

export const notHere: readonly Endpoint[] = instead.map(([method, path, why]) =>
  ollamaEndpoint(method, path, () => {
    throw new ApiError(501, 'not_implemented', why);
  }),
);
