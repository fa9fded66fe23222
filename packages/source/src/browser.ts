// The package in a browser: no files, no hub cache.
import { QuernError } from '@quern/errors';
import type { Source } from './source.ts';

export * from './anywhere.ts';

/** Packages that open by path or by source name it; here only the second way exists. @throws QuernError `source-no-files` */
export async function openFile(path: string): Promise<Source> {
  throw new QuernError('source-no-files', 'A browser opens no files by path.', {
    file: path,
    remedy: 'Use blobSource or httpSource.',
  });
}
