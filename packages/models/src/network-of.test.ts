// Files that stand beside models, with the keys that llama.cpp's converters give them (gguf-py constants.py GGUFType).
import type { ModelView } from '@quern/checkpoint';
import { expect, test } from 'vitest';
import { architectureOf } from './network-of.ts';

const viewOf = (keys: Record<string, string>): ModelView => ({
  path: 'some.gguf',
  metadata: new Map(Object.entries(keys).map(([key, value]) => [key, { type: 'string', value } as const])),
  tensors: new Map(),
  close: async () => {},
});

test.each([
  [{ 'general.type': 'adapter', 'general.architecture': 'llama' }, 'a LoRA adapter', 'the model that it was made for'],
  [{ 'general.type': 'mmproj', 'general.architecture': 'clip' }, 'mmproj', 'the model that it belongs to'],
  [{ 'general.architecture': 'clip' }, 'mmproj', 'the model that it belongs to'],
  [{ 'general.type': 'imatrix' }, 'an importance matrix', '--imatrix'],
])('%j is said to be no model, with what to give', (keys, what, remedy) => {
  expect(() => architectureOf(viewOf(keys))).toThrow(
    expect.objectContaining({
      code: 'not-a-model',
      message: expect.stringContaining(what),
      remedy: expect.stringContaining(remedy),
    }),
  );
});

test('a model with or without general.type is one', () => {
  expect(architectureOf(viewOf({ 'general.architecture': 'llama' })).name).toBe('llama');
  expect(architectureOf(viewOf({ 'general.architecture': 'llama', 'general.type': 'model' })).name).toBe('llama');
});
