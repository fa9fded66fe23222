import { expect, test } from 'vitest';
import { convertedName, quantizedName } from './output-name.ts';

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

test('converting takes the last part of a path or hub id', () => {
  expect(convertedName('HuggingFaceTB/SmolLM2-135M', 'BF16')).toBe('SmolLM2-135M-BF16.gguf');
  expect(convertedName('/models/tiny-llama/', 'F32')).toBe('tiny-llama-F32.gguf');
});
