import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkpointName, convertedName, modelName, quantizedName } from './output-name.ts';

let folder: string;
const commit = '0123456789abcdef0123456789abcdef01234567';
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'quern-names-')));
  mkdirSync(join(folder, 'Tiny-1B/original'), { recursive: true });
  mkdirSync(join(folder, `models--org--Model/snapshots/${commit}`), { recursive: true });
  symlinkSync(join(folder, 'Tiny-1B'), join(folder, 'latest'));
  writeFileSync(join(folder, '0a1b'), '');
  symlinkSync(join(folder, '0a1b'), join(folder, 'a-BF16.gguf'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('quantizing replaces the type in the name', () => {
  expect(quantizedName('models/a-BF16.gguf', 'Q4_K_M')).toBe('models/a-Q4_K_M.gguf');
  expect(quantizedName('a.f16.gguf', 'Q8_0')).toBe('a-Q8_0.gguf');
  expect(quantizedName('a.gguf', 'Q8_0')).toBe('a-Q8_0.gguf');
  // Not beside the file, which lies in the hub's cache.
  expect(quantizedName('org/Model-GGUF:BF16', 'Q4_0')).toBe('Model-GGUF-Q4_0.gguf');
  expect(quantizedName('org/Model-GGUF/sub/m-BF16.gguf', 'Q4_0')).toBe('m-Q4_0.gguf');
  expect(quantizedName('https://example.org/files/m-F16.gguf?x=1', 'Q4_0')).toBe('m-Q4_0.gguf');
  expect(quantizedName('a-F32-00001-of-00003.gguf', 'Q6_K')).toBe('a-Q6_K.gguf');
});

test('converting takes the last part of a path, hub id or address', () => {
  expect(convertedName('HuggingFaceTB/SmolLM2-135M', 'BF16')).toBe('SmolLM2-135M-BF16.gguf');
  expect(convertedName('HuggingFaceTB/SmolLM2-135M@main', 'BF16')).toBe('SmolLM2-135M-BF16.gguf');
  expect(convertedName('/models/tiny-llama/', 'F32')).toBe('tiny-llama-F32.gguf');
  expect(checkpointName('dir/model-Q4_K_M.gguf', 'BF16')).toBe('model-Q4_K_M-BF16');
  expect(checkpointName('https://a.example/b/model.gguf?download=true', 'BF16')).toBe('model-BF16');
});

describe('a folder is called by its real name', () => {
  test.each([
    ['', 'Tiny-1B'],
    ['/', 'Tiny-1B'],
    ['/.', 'Tiny-1B'],
    ['/original/..', 'Tiny-1B'],
  ])('with %j behind it', (suffix, name) => {
    expect(modelName(join(folder, 'Tiny-1B') + suffix)).toBe(name);
  });

  test('through a link, and from where we are', () => {
    expect(modelName(join(folder, 'latest'))).toBe('Tiny-1B');
    expect(modelName(`${join(folder, 'latest')}/`)).toBe('Tiny-1B');
    expect(modelName('.')).toBe(modelName(process.cwd()));
    expect(modelName('..')).toBe(modelName(join(process.cwd(), '..')));
    expect(modelName(relative(process.cwd(), join(folder, 'Tiny-1B')))).toBe('Tiny-1B');
    expect(modelName('/')).toBe('model');
  });

  test("in the hub's cache, where folders are commits and files are hashes", () => {
    expect(modelName(join(folder, `models--org--Model/snapshots/${commit}`))).toBe('Model');
    expect(quantizedName(join(folder, 'a-BF16.gguf'), 'Q8_0')).toBe(join(folder, 'a-Q8_0.gguf'));
  });
});
