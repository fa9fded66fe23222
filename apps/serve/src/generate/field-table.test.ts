// The table of fields in docs/ has a row for every field that the code knows. test/e2e/serve-fields.test.ts holds the server to its
// rows.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { generationFields } from './generation-request.ts';
import { neutralFields } from './neutral-fields.ts';
import { refusedFields } from './refused-fields.ts';

it('docs/serving-fields.md names every field', () => {
  const text = readFileSync(new URL('../../../../docs/serving-fields.md', import.meta.url), 'utf8');
  const listed = new Set([...text.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name));
  const known = [...Object.keys(generationFields), ...neutralFields, ...refusedFields.map(({ field }) => field)];
  expect(known.filter((name) => !listed.has(name))).toEqual([]);
});
