import { expect, test } from 'vitest';
import { briefNames, shortNames } from './names.ts';

const brief = (...references: string[]) => [...briefNames(references).values()];

test('a file is known by its name alone, wherever it lies', () => {
  expect(brief('/home/someone/models/a-Q4_K_M.gguf', './b.gguf', 'C:\\models\\c.gguf', 'folder/')).toEqual([
    'a-Q4_K_M.gguf',
    'b.gguf',
    'c.gguf',
    'folder',
  ]);
});

test('files of one name are told apart by as many folders as it takes', () => {
  expect(brief('/x/llama/q4/model.gguf', '/x/qwen/q4/model.gguf', '/x/qwen/q8/model.gguf')).toEqual([
    'llama/q4/model.gguf',
    'qwen/q4/model.gguf',
    'q8/model.gguf',
  ]);
});

test('the same file twice, or the end of another path, keeps its name', () => {
  expect(brief('a/m.gguf', 'a/m.gguf')).toEqual(['m.gguf']);
  expect(brief('m.gguf', 'a/m.gguf')).toEqual(['m.gguf', 'a/m.gguf']);
});

test('long names keep what tells them apart', () => {
  const names = ['2.0', '2.1', '2.11'].map((version) => `A-very-long-name-of-a-model-v${version}-Instruct-Q4_K_M`);
  expect(shortNames(names, 20)).toEqual(['…v2.0…', '…v2.1…', '…v2.11…']);
  expect(shortNames(['Q4_K_M', 'Q8_0'], 20)).toEqual(['Q4_K_M', 'Q8_0']);
  const types = ['Q4_K_M', 'Q8_0'].map((type) => `Llama-3.2-1B-Instruct-abliterated-${type}`);
  expect(shortNames(types, 20)).toEqual(['…Q4_K_M', '…Q8_0']);
  for (const name of shortNames(['x'.repeat(50), 'y'.repeat(50)], 20)) expect([...name].length).toBe(20);
});
