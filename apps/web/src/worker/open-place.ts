// Where the page says that the model is, as an open model. Splits are found beside the one that was named.
import { type ModelView, openGgufModel } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { blobSource, httpSource, readAhead, type Source } from '@quern/source';
import type { LoadRequest } from '../protocol.ts';

/** @throws QuernError those of `httpSource` and `openGgufModel`; `gguf-split-missing` */
export function openPlace(place: LoadRequest['place']): Promise<ModelView> {
  return 'url' in place ? openUrl(place.url) : openFiles(place.files);
}

async function openUrl(url: string): Promise<ModelView> {
  const open = async (address: string): Promise<Source> => readAhead(await httpSource(address, { attempts: 3 }));
  return openGgufModel(await open(url), { openSibling: (name) => open(new URL(name, url).href) });
}

async function openFiles(files: readonly File[]): Promise<ModelView> {
  const openSibling = async (name: string): Promise<Source> => {
    const file = files.find((each) => each.name === name);
    if (!file)
      throw new QuernError('web-split-not-chosen', 'The file was not among those chosen.', {
        file: name,
        remedy: 'Choose all splits of the model together.',
      });
    return blobSource(file);
  };
  return openGgufModel(blobSource(files[0]!), { openSibling });
}
