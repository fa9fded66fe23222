// A folder for one test file, and the tiny models of test/models.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';

export const modelPath = (name: string): string =>
  fileURLToPath(new URL(`../../../../test/models/${name}`, import.meta.url));

/** Removed when the tests of the file are done. */
export async function temporaryFolder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'quern-awq-'));
  afterAll(() => rm(dir, { recursive: true, force: true }));
  return dir;
}
