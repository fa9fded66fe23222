import { chmodSync, linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  outputFile,
  outputFolder,
  requireDistinctOutputs,
  requireOutputFile,
  requireStateFile,
} from './output-place.ts';

let folder: string;
const at = (name: string) => join(folder, name);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'quern-place-'));
  writeFileSync(at('there'), 'x');
  mkdirSync(at('sub'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'ok',
    (error) => error.code,
  );

describe('a file that is named', () => {
  test('in a folder gets the usual name', async () => {
    expect(await outputFile(undefined, 'dir/m.gguf')).toBe('dir/m.gguf');
    expect(await outputFile('x.gguf', 'dir/m.gguf')).toBe('x.gguf');
    expect(await outputFile(at('sub'), 'dir/m.gguf')).toBe(at('sub/m.gguf'));
    expect(await outputFile(`${at('sub')}/`, 'm.gguf')).toBe(at('sub/m.gguf'));
    expect(await outputFile('.', 'm.gguf')).toBe('m.gguf');
    // Of a folder that is not there the check speaks, which names it.
    await expect(requireOutputFile(await outputFile(`${at('none')}/`, 'm.gguf'))).rejects.toThrow(/folder.*not exist/);
  });

  test.each(['-', ''])('cannot be %j', async (name) => {
    expect(await codeOf(outputFile(name, 'm.gguf'))).toBe('usage-output');
    expect(() => outputFolder(name, 'm')).toThrow(expect.objectContaining({ code: 'usage-output' }));
  });
});

test('a folder that is named is that folder, but not the one that we are in', () => {
  expect(outputFolder(undefined, 'm-awq')).toBe('m-awq');
  expect(outputFolder('out/', 'm-awq')).toBe('out');
  expect(outputFolder(at('sub'), 'm-awq')).toBe(at('sub'));
  for (const here of ['.', './', '..', process.cwd(), '/'])
    expect(() => outputFolder(here, 'm-awq')).toThrow(expect.objectContaining({ code: 'usage-output' }));
});

describe('a place', () => {
  test('that is free is left as it was', async () => {
    await requireOutputFile(at('new.gguf'), { size: 1, inputs: [at('there')] });
    expect(readdirSync(folder).sort()).toEqual(['sub', 'there']);
  });

  test.each<[string, () => [string, object?], string]>([
    ['in a folder that is not there', () => [at('none/x')], 'output-folder-missing'],
    ['in a file', () => [at('there/x')], 'output-folder-missing'],
    ['that is a file', () => [at('there')], 'refused-output-exists'],
    ['that is a folder', () => [at('sub'), { force: true }], 'refused-output-exists'],
    ['that is a device', () => ['/dev/null', { force: true }], 'refused-output-exists'],
    ['that is larger than the disk', () => [at('x'), { size: 2 ** 60 }], 'refused-disk-space'],
    ['with too long a name', () => [at('x'.repeat(250))], 'write-failed'],
    [
      'that is an input',
      () => [at('there'), { force: true, inputs: [at('sub'), at('there')] }],
      'refused-output-is-input',
    ],
  ])('%s is refused', async (_, place, code) => {
    expect(await codeOf(requireOutputFile(...place()))).toBe(code);
  });

  test('that is a file is replaced by force, an input under another name is not', async () => {
    await requireOutputFile(at('there'), { force: true });
    symlinkSync(at('there'), at('link'));
    linkSync(at('there'), at('hard'));
    for (const name of ['link', 'hard'])
      expect(await codeOf(requireOutputFile(at(name), { force: true, inputs: [at('there')] }))).toBe(
        'refused-output-is-input',
      );
  });

  const isRoot = process.getuid?.() === 0;
  if (isRoot) console.log('skipped: a folder without permission, since root may write anywhere');
  test.skipIf(isRoot)('where we may not write is refused', async () => {
    chmodSync(at('sub'), 0o500);
    expect(await codeOf(requireOutputFile(at('sub/x')))).toBe('write-denied');
    expect(await codeOf(requireStateFile(at('sub/x')))).toBe('write-denied');
  });

  test.skipIf(process.platform !== 'linux')('in a file system that takes no files is refused', async () => {
    expect(await codeOf(requireOutputFile('/proc/self/x'))).toMatch(/^write-/);
  });
});

test('a state may be there, as a file that is no input', async () => {
  await requireStateFile(at('there'));
  await requireStateFile(at('new'));
  expect(await codeOf(requireStateFile(at('sub')))).toBe('refused-output-exists');
  expect(await codeOf(requireStateFile(at('none/x')))).toBe('output-folder-missing');
  expect(await codeOf(requireStateFile(at('there'), { inputs: [at('there')] }))).toBe('refused-output-is-input');
});

test('two outputs cannot be one file', () => {
  requireDistinctOutputs({ '--report': 'a', '--state': undefined, '--save-base': 'b' });
  expect(() => requireDistinctOutputs({ '--report': 'a', '--state': './a' })).toThrow(
    /--report and --state name the same/,
  );
});
