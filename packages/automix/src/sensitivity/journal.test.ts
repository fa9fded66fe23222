import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SensitivityJournal } from './journal.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'quern-sensitivity-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const settings = { model: 'a', text: 'b', chunks: 4, contextTokens: 128, imatrix: null };
const path = () => join(folder, 'measured.jsonl');

async function filled(): Promise<void> {
  const journal = await SensitivityJournal.open(path(), settings);
  await journal.addDivergence('blk.0.attn_q.weight', 'Q4_K', { kld: 0.25, error: 0.01 });
  await journal.addSquaredError('blk.0.attn_q.weight', 'Q5_K', 3);
  await journal.addMixture('abc', { kld: 0.5, error: 0.02 });
  await journal.close();
}

test('what was measured is there again', async () => {
  await filled();
  const journal = await SensitivityJournal.open(path(), settings);
  expect(journal.size).toBe(2);
  expect(journal.divergence('blk.0.attn_q.weight', 'Q4_K')).toEqual({ kld: 0.25, error: 0.01 });
  expect(journal.divergence('blk.0.attn_q.weight', 'Q5_K')).toBeUndefined();
  expect(journal.squaredError('blk.0.attn_q.weight', 'Q5_K')).toBe(3);
  expect(journal.mixture('abc')).toEqual({ kld: 0.5, error: 0.02 });
  await journal.close();
});

test('wherever a run died, the next one goes on with the whole lines', async () => {
  await filled();
  const whole = readFileSync(path());
  const head = whole.indexOf(0x0a) + 1;
  for (let length = head; length <= whole.length; length++) {
    writeFileSync(path(), whole.subarray(0, length));
    const journal = await SensitivityJournal.open(path(), settings);
    if (!journal.divergence('blk.0.attn_q.weight', 'Q4_K'))
      await journal.addDivergence('blk.0.attn_q.weight', 'Q4_K', { kld: 0.25, error: 0.01 });
    if (journal.squaredError('blk.0.attn_q.weight', 'Q5_K') === undefined)
      await journal.addSquaredError('blk.0.attn_q.weight', 'Q5_K', 3);
    if (!journal.mixture('abc')) await journal.addMixture('abc', { kld: 0.5, error: 0.02 });
    await journal.close();
    expect(readFileSync(path(), 'utf8')).toBe(whole.toString());
  }
});

test.each([
  ['model', { model: 'z' }],
  ['calibration text', { text: 'z' }],
  ['number of chunks', { chunks: 5 }],
  ['context', { contextTokens: 64 }],
  ['importance matrix', { imatrix: 'z' }],
])('another %s is refused, and nothing is lost', async (what, change) => {
  await filled();
  const before = readFileSync(path(), 'utf8');
  await expect(SensitivityJournal.open(path(), { ...settings, ...change })).rejects.toMatchObject({
    code: 'refused-settings-differ',
    message: expect.stringContaining(what),
    file: path(),
  });
  expect(readFileSync(path(), 'utf8')).toBe(before);
});

test.each([
  ['a file of something else', 'once upon a time\n', 'sensitivity-not-recognized'],
  ['a file of something else without a newline', 'once upon a time', 'sensitivity-not-recognized'],
  ['another version', '{"quern":"sensitivity","version":0,"settings":{}}\n', 'sensitivity-not-recognized'],
])('%s is refused and left as it is', async (_, text, code) => {
  writeFileSync(path(), text);
  await expect(SensitivityJournal.open(path(), settings)).rejects.toMatchObject({ code });
  expect(readFileSync(path(), 'utf8')).toBe(text);
});

test.each([
  'not json',
  '{"tensor":"a","type":"Q4_K"}',
  '{"tensor":"a","type":"Q4_K","kld":"0.1","error":0}',
  '{"tensor":"a","kld":0.1,"error":0}',
  '{"tensor":"a","type":"Q4_K","squaredError":-1}',
])('a damaged line is named: %s', async (line) => {
  await filled();
  writeFileSync(path(), `${readFileSync(path(), 'utf8')}${line}\n`);
  await expect(SensitivityJournal.open(path(), settings)).rejects.toMatchObject({
    code: 'sensitivity-damaged',
    message: expect.stringContaining('Line 5'),
  });
});

test('a folder that does not exist is named', async () => {
  await expect(SensitivityJournal.open(join(folder, 'none', 'file'), settings)).rejects.toMatchObject({
    file: join(folder, 'none', 'file'),
  });
});
