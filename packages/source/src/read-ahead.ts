// For sources where every read costs a round trip: many small reads in rising order become few large ones, the next of
// them under way while the reader works on the last. Works in browsers.
import { checkRange } from './range.ts';
import type { Source } from './source.ts';

interface Window {
  readonly start: number;
  readonly end: number;
  readonly bytes: Promise<Uint8Array>;
}

/**
 * Reads `source` through windows that begin with 256 KiB and double up to `maxWindowBytes` as long as reads go on where the
 * last ones ended; two of them are held. A read outside them begins anew. Closing closes `source`.
 */
export function readAhead(source: Source, maxWindowBytes = 16 * 2 ** 20): Source {
  let current: Window | undefined;
  let next: Window | undefined;

  const open = (start: number, bytes: number): Window => {
    const end = Math.min(start + bytes, source.size);
    const window = { start, end, bytes: source.read(start, end - start) };
    window.bytes.catch(() => {}); // whoever reads from it hears of it
    return window;
  };
  const windowAt = (offset: number): Window => {
    const inside = (window: Window | undefined) => window && offset >= window.start && offset < window.end;
    if (!inside(current)) {
      current = inside(next) ? next! : open(offset, Math.min(firstWindowBytes, maxWindowBytes));
      next = undefined;
    }
    return current!;
  };

  const readInto = async (target: Uint8Array, offset: number): Promise<void> => {
    checkRange(source.name, source.size, offset, target.length);
    for (let at = 0; at < target.length; ) {
      const window = windowAt(offset + at);
      if (!next && window.end < source.size)
        next = open(window.end, Math.min(2 * (window.end - window.start), maxWindowBytes));
      try {
        const part = (await window.bytes).subarray(offset + at - window.start).subarray(0, target.length - at);
        target.set(part, at);
        at += part.length;
      } catch (error) {
        current = next = undefined; // another read tries anew
        throw error;
      }
    }
  };

  return {
    name: source.name,
    size: source.size,
    readInto,
    async read(offset, length) {
      checkRange(source.name, source.size, offset, length);
      const bytes = new Uint8Array(length);
      await readInto(bytes, offset);
      return bytes;
    },
    close: () => source.close(),
  };
}

const firstWindowBytes = 2 ** 18;
