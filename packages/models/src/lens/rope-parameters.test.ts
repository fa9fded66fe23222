import { describe, expect, it } from 'vitest';
import { llama } from '../arch/llama.ts';
import { qwen2 } from '../arch/qwen2.ts';
import { ropeMetadata, ropeOfModel } from './rope-parameters.ts';

const read = (config: Record<string, unknown>, architecture = llama) => ropeOfModel(config, architecture, 4096)!.full;

describe('ropeParameters', () => {
  it('reads the old keys and the new ones alike', () => {
    const llama3 = { factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 };
    const expected = {
      type: 'llama3',
      theta: 500000,
      factor: 8,
      originalContext: 8192,
      llama3: { factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalContext: 8192 },
    };
    expect(read({ rope_parameters: { ...llama3, rope_type: 'llama3', rope_theta: 500000 } })).toEqual(expected);
    expect(read({ rope_theta: 500000, rope_scaling: { ...llama3, rope_type: 'llama3' } })).toEqual(expected);
    expect(read({ rope_theta: 500000, rope_scaling: { ...llama3, type: 'llama3' } })).toEqual(expected);
  });

  it('takes what transformers takes for absent keys', () => {
    expect(read({})).toEqual({ type: 'default', theta: 10000 });
    expect(read({ rope_scaling: null, rope_theta: 1e6 })).toEqual({ type: 'default', theta: 1e6 });
    expect(read({ rope_scaling: { type: 'yarn', factor: 4 } })).toMatchObject({ originalContext: 4096 });
  });

  it('writes yarn as the converter does', () => {
    const rope = read(
      {
        rope_theta: 1e6,
        rope_scaling: { type: 'yarn', factor: 4, original_max_position_embeddings: 32768, beta_fast: 32 },
      },
      qwen2,
    );
    expect(ropeMetadata({ full: rope })).toEqual([
      ['rope.scaling.type', { type: 'string', value: 'yarn' }],
      ['rope.scaling.factor', { type: 'float32', value: 4 }],
      ['rope.scaling.original_context_length', { type: 'uint32', value: 32768 }],
      ['rope.scaling.yarn_beta_fast', { type: 'float32', value: 32 }],
      ['rope.freq_base', { type: 'float32', value: 1e6 }],
    ]);
  });

  it.each([
    ['an unknown type', { rope_scaling: { type: 'spiral', factor: 2 } }, 'unsupported-rope', /spiral.*/],
    [
      'dynamic scaling, which depends on the length of the text',
      { rope_scaling: { type: 'dynamic', factor: 2 } },
      'unsupported-rope',
      /dynamic/,
    ],
    ['no factor', { rope_scaling: { type: 'linear' } }, 'config-bad-value', /factor/],
    ['a factor that is text', { rope_scaling: { type: 'linear', factor: '2' } }, 'config-bad-value', /"2"/],
    ['a negative base', { rope_theta: -1 }, 'config-bad-value', /rope_theta/],
    ['a base of nothing but zero', { rope_theta: 0 }, 'config-bad-value', /rope_theta/],
    ['parameters that are a list', { rope_scaling: [] }, 'config-bad-value', /object/],
    [
      'rope over a part of the head',
      { rope_parameters: { partial_rotary_factor: 0.5 } },
      'unsupported-rope',
      /partial_rotary_factor/,
    ],
    [
      'rope by layer type',
      { rope_parameters: { full_attention: { rope_theta: 1e4 } } },
      'unsupported-rope',
      /full_attention/,
    ],
    [
      'an empty band between low and high frequencies',
      { rope_scaling: { type: 'llama3', factor: 8, low_freq_factor: 4, high_freq_factor: 4 } },
      'config-bad-value',
      /high_freq_factor/,
    ],
  ])('refuses %s', (_, config, code, message) => {
    expect(() => read(config)).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
  });

  it('refuses llama3 scaling where GGUF has no place for the factors', () => {
    const config = { rope_scaling: { type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4 } };
    expect(() => read(config, qwen2)).toThrow(expect.objectContaining({ code: 'unsupported-rope' }));
  });
});
