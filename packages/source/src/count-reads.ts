// How much was read of a source: what a person wants to know of a file far away. Works in browsers.
import type { Source } from './source.ts';

/** @param count told the bytes of every read */
export function countReads(source: Source, count: (bytes: number) => void): Source {
  return {
    name: source.name,
    size: source.size,
    readInto(target, offset) {
      count(target.length);
      return source.readInto(target, offset);
    },
    read(offset, length) {
      count(length);
      return source.read(offset, length);
    },
    close: () => source.close(),
  };
}
