// A Blob or a File picked in a browser, read slice by slice.
import { QuernError } from '@quern/errors';
import { checkRange } from './range.ts';
import type { Source } from './source.ts';

/** @throws QuernError `source-changed` from reads when the file behind the Blob changed or went away. */
export function blobSource(blob: Blob, name = 'name' in blob ? String(blob.name) : 'blob'): Source {
  const size = blob.size;
  const read = async (offset: number, length: number): Promise<Uint8Array> => {
    checkRange(name, size, offset, length);
    let bytes: Uint8Array;
    try {
      bytes = new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
    } catch (cause) {
      throw new QuernError('source-changed', 'The file changed while it was being read.', {
        file: name,
        offset,
        cause,
      });
    }
    if (bytes.length !== length) {
      throw new QuernError('source-changed', `Read ${bytes.length} of ${length} bytes.`, { file: name, offset });
    }
    return bytes;
  };
  return {
    name,
    size,
    read,
    async readInto(target, offset) {
      target.set(await read(offset, target.length));
    },
    async close() {},
  };
}
