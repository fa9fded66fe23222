// A folder for one test file, and the tiny models of test/models and, those too large for the clone, of QUERN_MODELS.
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';

export const modelPath = (name: string): string =>
  fileURLToPath(new URL(`../../../../test/models/${name}`, import.meta.url));

const beside = process.env.QUERN_MODELS ?? fileURLToPath(new URL('../../../../../shared/models', import.meta.url));

/** In either place; undefined when it is in neither. */
export const foundModel = (name: string): string | undefined =>
  [modelPath(name), resolve(beside, name)].find((path) => existsSync(path));

/** Removed when the tests of the file are done. */
export async function temporaryFolder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'quern-awq-'));
  afterAll(() => rm(dir, { recursive: true, force: true }));
  return dir;
}
