// A real file with random damage, the same in every run. Readers of headers never look at tensor data, so only the
// header is held; the data is a length, and reads as zeros.
import { QuernError } from '@quern/errors';
import type { Source } from '@quern/source';

/** xorshift32 (Marsaglia 2003): `next(n)` gives an integer from 0 to n − 1. */
function seededRandom(seed: number): (n: number) => number {
  let state = Math.imul(seed, 0x9e3779b1) || 1;
  return (n) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % n;
  };
}

// Bytes with a meaning: zeros, sign bits, UTF-8 leads, and what JSON is made of.
const telling = [0, 1, 0x0a, 0x7f, 0x80, 0xc3, 0xff, ...new TextEncoder().encode('"\\{}[],:09-')];

/**
 * Between one and four changes: bits flipped, bytes replaced or exchanged, runs erased, inserted or taken out, the file
 * cut off or lengthened.
 * @param header the header of a good file  @param dataBytes length of what follows it
 */
export function damagedFile(header: Uint8Array, dataBytes: number, seed: number): Source {
  const random = seededRandom(seed);
  let bytes = Buffer.from(header);
  let rest = dataBytes;
  for (let changes = 1 + random(4); changes > 0 && bytes.length > 0; changes--) {
    const at = random(bytes.length);
    const length = 1 + random(16);
    const kind = random(16);
    if (kind < 5) bytes[at]! ^= 1 << random(8);
    else if (kind < 10) bytes[at] = telling[random(telling.length)]!;
    else if (kind === 10) bytes.fill(random(2) * 0xff, at, Math.min(at + length, bytes.length));
    else if (kind === 11) bytes.copyWithin(at, random(bytes.length), random(bytes.length));
    else if (kind === 12) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
    else if (kind === 13) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - length))]);
    else if (kind === 14) rest = Math.max(0, rest + length - 2 * random(16));
    else [bytes, rest] = [bytes.subarray(0, at), 0];
  }
  return headerOnly(bytes, bytes.length + rest);
}

function headerOnly(bytes: Uint8Array, size: number): Source {
  const name = 'damaged';
  const readInto = async (target: Uint8Array, offset: number): Promise<void> => {
    if (offset + target.length > size)
      throw new QuernError('source-out-of-range', 'a reader left the file', { file: name });
    target.fill(0);
    if (offset < bytes.length) target.set(bytes.subarray(offset, offset + target.length));
  };
  return {
    name,
    size,
    readInto,
    async read(offset, length) {
      const target = new Uint8Array(length);
      await readInto(target, offset);
      return target;
    },
    async close() {},
  };
}
