import { createFileSink } from '@quern/source';
import type { Results } from '../results.ts';
import { reportPage } from './page.ts';
import type { TensorErrors } from './tensor-errors.ts';

/** Replaces an older report. @throws QuernError `disk-full`, `write-denied`, `write-failed` */
export async function writeReport(
  path: string,
  results: Results,
  tensorErrors: readonly TensorErrors[],
): Promise<void> {
  const bytes = new TextEncoder().encode(reportPage(results, tensorErrors));
  const sink = await createFileSink(path, bytes.length);
  try {
    await sink.write(bytes, 0);
    await sink.finish();
  } finally {
    await sink.abort();
  }
}
