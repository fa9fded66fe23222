// The one rule every source shares: a read lies inside the file.
import { QuernError } from '@quern/errors';

/** @throws QuernError `source-out-of-range` unless `offset…offset+length` lies in `0…size`. */
export function checkRange(name: string, size: number, offset: number, length: number): void {
  const sane = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0;
  if (!sane || offset > size - length) {
    throw new QuernError('source-out-of-range', `Wanted ${length} bytes, but the file has only ${size}.`, {
      file: name,
      offset,
      remedy: 'The file is truncated or its header is damaged: fetch it again.',
    });
  }
}
