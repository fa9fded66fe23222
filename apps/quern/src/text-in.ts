// A file that holds one text, whole.
import { QuernError } from '@quern/errors';
import { readInputFile } from '@quern/source';

/** @throws QuernError `text-not-utf8`, and those of `readInputFile` (`text-unreadable`) */
export async function textIn(file: string): Promise<string> {
  const bytes = await readInputFile(file, 'text', 'text-unreadable');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new QuernError('text-not-utf8', 'The text is not valid UTF-8.', { file, cause });
  }
}
