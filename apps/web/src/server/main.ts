// `npm run web [-- --port N --host H --models DIR --no-isolation]`
import { parseArgs } from 'node:util';
import { QuernError } from '@quern/errors';
import { listModels } from './list-models.ts';
import { modelsFolder } from './models-folder.ts';
import { serveSite } from './serve-site.ts';

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      port: { type: 'string', default: '8090' },
      host: { type: 'string', default: '127.0.0.1' },
      models: { type: 'string' },
      'no-isolation': { type: 'boolean', default: false },
    },
  });
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    throw new QuernError('web-bad-port', `${values.port} is no port.`, { remedy: 'Give one from 0 to 65535.' });
  const folder = modelsFolder(values.models, positionals, process.env);
  const models = folder === undefined ? [] : await listModels(folder);
  const { url } = await serveSite({
    host: values.host,
    port,
    models: folder,
    isolated: !values['no-isolation'],
  });
  console.log(`The page: ${url}/`);
  if (folder !== undefined) console.log(`Models of ${folder}:${models.length === 0 ? ' no GGUF file' : ''}`);
  for (const model of models) console.log(`  ${url}/models/${model}`);
} catch (error) {
  console.error(error instanceof QuernError ? error.describe() : (error as Error).message);
  process.exitCode = 1;
}
