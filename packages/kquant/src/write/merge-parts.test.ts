// Parts that do not make a file, whatever their headers say.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mergeParts } from './merge-parts.ts';
import { type PartHeader, partHeader } from './part-file.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'quern-parts-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const usual: PartHeader = { identity: 'a', shard: 1, of: 2, begin: 0, end: 3, fileBytes: 5 };
function part(name: string, header: Partial<PartHeader>, bytes: number[]): string {
  const path = join(folder, name);
  writeFileSync(path, Buffer.concat([partHeader({ ...usual, ...header }), Uint8Array.from(bytes)]));
  return path;
}
const output = () => join(folder, 'out');

test('parts in any order become one file', async () => {
  const parts = [part('2', { shard: 2, begin: 3, end: 5 }, [4, 5]), part('1', {}, [1, 2, 3])];
  expect(await mergeParts(output(), parts)).toBe(5);
  expect([...readFileSync(output())]).toEqual([1, 2, 3, 4, 5]);
  await expect(mergeParts(output(), parts)).rejects.toMatchObject({ code: 'refused-output-exists' });
  rmSync(output());
});

test.each<[string, Partial<PartHeader>, number[], string]>([
  ['a gap', { shard: 2, begin: 4, end: 5 }, [5], 'parts-do-not-fit'],
  ['an overlap', { shard: 2, begin: 2, end: 5 }, [3, 4, 5], 'parts-do-not-fit'],
  ['an end that is missing', { shard: 2, begin: 3, end: 4 }, [4], 'parts-do-not-fit'],
  ['another file', { identity: 'b', shard: 2, begin: 3, end: 5 }, [4, 5], 'parts-do-not-fit'],
  ['another number of shards', { shard: 2, of: 3, begin: 3, end: 5 }, [4, 5], 'parts-do-not-fit'],
  ['the same shard', { begin: 3, end: 5 }, [4, 5], 'parts-do-not-fit'],
  ['a part cut short', { shard: 2, begin: 3, end: 5 }, [4], 'part-not-recognized'],
  ['a range backwards', { shard: 2, begin: 5, end: 3 }, [], 'part-not-recognized'],
  ['a range beyond the file', { shard: 2, begin: 3, end: 6 }, [4, 5, 6], 'part-not-recognized'],
  ['a shard beyond the count', { shard: 3, begin: 3, end: 5 }, [4, 5], 'part-not-recognized'],
  ['a number that is none', { shard: 2, begin: 3, end: 5.5 }, [4, 5], 'part-not-recognized'],
])('%s is refused, and nothing is written', async (_, header, bytes, code) => {
  const parts = [part('1', {}, [1, 2, 3]), part('2', header, bytes)];
  await expect(mergeParts(output(), parts)).rejects.toMatchObject({ code });
  expect(existsSync(output()) || existsSync(`${output()}.partial`)).toBe(false);
});

test('no parts, missing parts, files that are none', async () => {
  await expect(mergeParts(output(), [])).rejects.toMatchObject({ code: 'parts-missing' });
  await expect(mergeParts(output(), [part('1', {}, [1, 2, 3])])).rejects.toMatchObject({
    code: 'parts-missing',
    message: 'Shards 2 of 2 are missing.',
  });
  for (const text of [
    '',
    'QUERN-PART ',
    'QUERN-PART {"version":1',
    'QUERN-PART {"version":2}',
    'QUERN-PART null'.padEnd(5000),
  ]) {
    writeFileSync(join(folder, 'odd'), text);
    await expect(mergeParts(output(), [join(folder, 'odd')])).rejects.toMatchObject({ code: 'part-not-recognized' });
  }
  await expect(mergeParts(output(), [join(folder, 'none')])).rejects.toMatchObject({ code: 'part-not-readable' });
});
