// `--report`: what it needs is read and its place is looked at before anything is measured; it is written when the figures
// are on the screen.
import { readFileSync } from 'node:fs';
import { writeWholeFile } from '@quern/source';
import { expandFilePatterns, printNote } from '@quern/terminal';
import type { Results } from '../results.ts';
import { reportPage } from './page.ts';
import { readTensorErrors } from './tensor-errors.ts';

/**
 * @returns what writes the page; undefined when none is asked for
 * @throws QuernError those of `readTensorErrors`; writing it: `disk-full`, `write-denied`, `write-failed`
 */
export async function reportWriter(
  report: string | undefined,
  tensorErrors: readonly string[] = [],
): Promise<((results: Results) => Promise<void>) | undefined> {
  if (report === undefined) return undefined;
  const errors = await Promise.all(expandFilePatterns(tensorErrors).map(readTensorErrors));
  return async (results) => {
    const page = reportPage(results, errors, { version: version(), date: new Date() });
    await writeWholeFile(report, new TextEncoder().encode(page));
    printNote(`report written to ${report}`);
  };
}

const version = (): string =>
  (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }).version;
