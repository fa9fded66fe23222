// The models of a folder, for the page's list and for whoever starts the server.
import { readdir } from 'node:fs/promises';
import { sep } from 'node:path';
import { QuernError } from '@quern/errors';

/** A list for people; a folder with more is one to name files of. */
const most = 1000;

/**
 * GGUF files below `folder`, as paths of a URL below /models/.
 * @throws QuernError `web-no-models-folder`
 */
export async function listModels(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true }).catch((cause: Error) => {
    throw new QuernError('web-no-models-folder', `The folder of --models cannot be read: ${cause.message}.`, {
      file: folder,
      cause,
    });
  });
  const models = names.filter((name) => /\.gguf$/i.test(name)).sort();
  return models.slice(0, most).map((name) => name.split(sep).map(encodeURIComponent).join('/'));
}
