// The README says which type to choose in the words of the help.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileTypeNamed } from '@quern/kquant';
import { expect, test } from 'vitest';
import { typeGuide } from './type-guide.ts';

const readme = readFileSync(join(import.meta.dirname, '../../../README.md'), 'utf8');

test.each(typeGuide)('$type is a type, and README has its row', ({ type, gib, kld, kldWithImatrix = '', advice }) => {
  expect(fileTypeNamed(type).name).toBe(type);
  expect(readme).toContain(`| ${[type, gib, kld, kldWithImatrix, advice].join(' | ')} |`.replaceAll('  ', ' '));
});
