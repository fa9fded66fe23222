// The table of cases in README.md names tests that there are.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const rows = [
  ...readFileSync(join(import.meta.dirname, 'README.md'), 'utf8').matchAll(/^\| (\d+) \| .* \| (.*) \|$/gm),
];

it('has all 24 cases', () =>
  expect(rows.map(([, number]) => Number(number))).toEqual(Array.from({ length: 24 }, (_, i) => i + 1)));

it.each(rows.map(([, number, tests]) => [number, tests!] as const))('case %s has its tests', (_, tests) => {
  for (const [, file, names] of tests.matchAll(/(\S+\.test\.ts): ((?:`[^`]+`(?:, )?)+)/g)) {
    const source = readFileSync(join(root, file!), 'utf8');
    for (const [, name] of names!.matchAll(/`([^`]+)`/g))
      expect(source.includes(`'${name}'`), `${file}: ${name}`).toBe(true);
  }
  expect(tests).toMatch(/\.test\.ts: `/);
});
