import { describe, expect, it } from 'vitest';
import { modelName, sizeLabel } from './general-metadata.ts';

// Expected values: gguf-py of the llama-cpp-python 0.3.36 source package, `size_label` and `Metadata.id_to_title`.
describe('sizeLabel', () => {
  it.each([
    [0, '0.00K'],
    [1, '0.00K'],
    [999, '1.0K'],
    [9999, '10K'],
    [214000, '214K'],
    [999499, '999K'],
    [999999, '1000K'],
    [1000000, '1000K'],
    [1000001, '1.0M'],
    [1500000, '1.5M'],
    [4200000, '4.2M'],
    [9950000, '10M'],
    [9999999, '10M'],
    [99500000, '100M'],
    [134515008, '135M'],
    [494032768, '494M'],
    [999999999, '1000M'],
    [1000000001, '1.0B'],
    [1235814400, '1.2B'],
    [3212749888, '3.2B'],
    [6738415616, '6.7B'],
    [8030261248, '8.0B'],
    [70553706496, '71B'],
    [405853388800, '406B'],
    [1000000000001, '1.0T'],
  ] as const)('%i parameters are %s', (parameters, label) => {
    expect(sizeLabel([{ name: 'all.weight', shape: [1, parameters], rows: 1, cols: parameters }])).toBe(label);
  });

  it('counts one expert of each stack, and how many there are', () => {
    const stack = { name: 'blk.0.ffn_up_exps.weight', shape: [8, 1e6, 2], rows: 8e6, cols: 2 };
    const shared = { name: 'output.weight', shape: [5e6], rows: 1, cols: 5e6 };
    expect(sizeLabel([shared, stack])).toBe('8x7.0M');
  });
});

describe('modelName', () => {
  it.each([
    ['/models/llama-spm', 'Llama Spm'],
    ['/models/Qwen2.5-7B-Instruct', 'Qwen2.5 7B Instruct'],
    ['/models/qwen2.5-7b-instruct/', 'Qwen2.5 7b Instruct'],
    ['/models/tiny_model-v2.1', 'Tiny_Model v2.1'],
    ['/cache/models--Qwen--Qwen3-0.6B/snapshots/c1899de289a04d12100db370d81485cdf75e47ca', 'Qwen3 0.6B'],
  ])('%s is called %s', (path, name) => {
    expect(modelName(path)).toBe(name);
  });
});
