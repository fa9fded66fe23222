import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { expandFilePatterns } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'quern-patterns-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
mkdirSync(join(folder, 'one'));
mkdirSync(join(folder, 'two'));
for (const name of [
  'm.gguf.part-1',
  'm.gguf.part-2',
  'm.gguf.part-10',
  'a b.gguf',
  '.hidden.gguf',
  'x[1].gguf',
  'one/q.gguf',
  'two/q.gguf',
  'star*.gguf',
])
  writeFileSync(join(folder, name), '');

/** What a POSIX shell makes of the same words. */
const shell = (...patterns: string[]) =>
  execFileSync('sh', ['-c', `for f in ${patterns.join(' ')}; do printf '%s\\n' "$f"; done`], { env: { LC_ALL: 'C' } })
    .toString()
    .trimEnd()
    .split('\n');

test.each(['m.gguf.part-*', '*.gguf', '*/q.gguf', 'm.gguf.part-?', 't?o/*', '.*.gguf', '*star*'])(
  'fits what a shell does: %s',
  (pattern) => {
    const path = join(folder, pattern);
    expect(expandFilePatterns([path])).toEqual(shell(path));
  },
);

test('leaves alone what is no pattern, a file of that very name, hub ids and URLs', () => {
  const names = ['b.gguf', 'owner/repo:Q4_K_M', 'https://host/m.gguf?download=true', join(folder, 'star*.gguf')];
  expect(expandFilePatterns(names)).toEqual(names);
});

test('a pattern without files is an error that names it', () => {
  expect(() => expandFilePatterns([join(folder, 'none-*.gguf')])).toThrow(/No file fits the pattern .*none-\*\.gguf/);
});
