// `npm run web -w apps/web [-- --port N --host H --models DIR --no-isolation]`
import { parseArgs } from 'node:util';
import { QuernError } from '@quern/errors';
import { serveSite } from './serve-site.ts';

try {
  const { values } = parseArgs({
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
  const { url } = await serveSite({
    host: values.host,
    port,
    models: values.models,
    isolated: !values['no-isolation'],
  });
  console.log(`The page: ${url}/`);
  if (values.models !== undefined) console.log(`Models:   ${url}/models/NAME.gguf`);
} catch (error) {
  console.error(error instanceof QuernError ? error.describe() : (error as Error).message);
  process.exitCode = 1;
}
