// Variants of architectures that GGUF has no place for: refused by the key that says so, where nothing else would show it.
import { afterEach, describe, expect, it } from 'vitest';
import { type Change, closeChanged, refusal } from '../testing/changed-checkpoint.ts';

afterEach(closeChanged);

describe('a model', () => {
  it.each<[string, Change, string, RegExp]>([
    ['Falcon-RW', { model: 'falcon', config: { alibi: true } }, 'unsupported-config', /alibi.*ALiBi/],
    ['Falcon with biases', { model: 'falcon', config: { bias: true } }, 'unsupported-config', /"bias"/],
    [
      'Falcon with the MLP behind attention',
      { model: 'falcon-40b', config: { parallel_attn: false } },
      'unsupported-config',
      /parallel_attn/,
    ],
    [
      'Falcon with an attention head for each head that cannot be cut so',
      { model: 'falcon', config: { multi_query: false } },
      'tensors-wrong-shape',
      /query_key_value/,
    ],
    [
      'Falcon with dynamic rope',
      { model: 'falcon', config: { rope_scaling: { type: 'dynamic', factor: 2 } } },
      'unsupported-rope',
      /dynamic/,
    ],
    [
      'Phi with norms of q and k',
      { model: 'phi2', config: { qk_layernorm: true } },
      'unsupported-config',
      /qk_layernorm/,
    ],
    [
      'StableLM with norms of heads it lacks',
      { model: 'stablelm', config: { qk_layernorm: true } },
      'tensors-missing',
      /q_layernorm\.norms\.0/,
    ],
    [
      'Nemotron with another activation',
      { model: 'nemotron', config: { hidden_act: 'gelu' } },
      'unsupported-config',
      /hidden_act/,
    ],
  ])('is refused: %s', async (_, change, code, text) => {
    expect(await refusal(change)).toEqual({ code, text: expect.stringMatching(text) });
  });
});
