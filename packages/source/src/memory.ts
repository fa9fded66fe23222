// Bytes that are already in memory, as a source. Works in browsers.
import { checkRange } from './range.ts';
import type { Source } from './source.ts';

/** Reads from `bytes` (not copied: later changes show through). `name` appears in error messages. */
export function memorySource(bytes: Uint8Array, name = 'memory'): Source {
  const size = bytes.length;
  return {
    name,
    size,
    async readInto(target, offset) {
      checkRange(name, size, offset, target.length);
      target.set(bytes.subarray(offset, offset + target.length));
    },
    async read(offset, length) {
      checkRange(name, size, offset, length);
      return bytes.slice(offset, offset + length);
    },
    async close() {},
  };
}
