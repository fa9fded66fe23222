// The forms of llama-quantize's usage: `model-f32.gguf [model-quant.gguf] type [nthreads]`, type by name or number.
import { expect, test } from 'vitest';
import { withPositionals } from './positionals.ts';

test.each([
  ['', {}, {}],
  ['out.gguf Q4_K_M', {}, { output: 'out.gguf', type: 'Q4_K_M' }],
  ['out.gguf q4_k_m 8', {}, { output: 'out.gguf', type: 'q4_k_m', threads: '8' }],
  ['Q4_K_M', {}, { type: 'Q4_K_M' }],
  ['Q4_K_M 8', {}, { type: 'Q4_K_M', threads: '8' }],
  ['out.gguf 15 2', {}, { output: 'out.gguf', type: 'Q4_K_M', threads: '2' }],
  ['7', {}, { type: 'Q8_0' }],
  ['out.gguf Q4_K_X', {}, { output: 'out.gguf', type: 'Q4_K_X' }],
  ['Q4_K_X', {}, { type: 'Q4_K_X' }],
  ['out', { type: 'Q4_0' }, { output: 'out', type: 'Q4_0' }],
  ['out.gguf', {}, { output: 'out.gguf' }],
  ['out.gguf 4', { type: 'Q4_0' }, { output: 'out.gguf', type: 'Q4_0', threads: '4' }],
  ['folder awq', {}, { output: 'folder', type: 'awq' }],
])('%s with %j', (line, options, expected) => {
  expect(withPositionals(line.split(' ').filter(Boolean), options)).toEqual(expected);
});

test.each([
  ['out.gguf Q4_0 4 5', {}, 'usage-excess-arguments'],
  ['out.gguf Q4_0', { output: 'b.gguf' }, 'usage-given-twice'],
  ['Q4_0 4', { threads: '3' }, 'usage-given-twice'],
])('%s with %j is refused', (line, options, code) => {
  expect(() => withPositionals(line.split(' '), options)).toThrow(expect.objectContaining({ code }));
});

test('a type as an argument and as a flag is refused', () => {
  expect(() => withPositionals(['Q4_K_M'], { type: 'Q4_0' })).toThrow(
    expect.objectContaining({ code: 'usage-given-twice' }),
  );
});
