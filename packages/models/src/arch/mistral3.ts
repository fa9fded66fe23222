// Mistral 3: Llama's network under a GGUF name of its own. Ministral 3 adds yarn whose factor on cos and sin is 1 and
// queries that grow with their position; Mistral Small 3.x is Mistral in a wrapper. GGUF: Mistral3Model of llama.cpp's
// conversion/mistral3.py.
import type { AttentionSpec } from '../forward/mixers/attention/spec.ts';
import type { NetworkReader } from '../network-reader.ts';
import type { Architecture, ConfigRule, Json } from './architecture.ts';
import { configError, isAbsent, show } from './config-error.ts';
import { decoder, preNormBlock, readAttention, readEps, readGatedMlp } from './decoder.ts';
import {
  type DenseDefaults,
  denseBlockTensors,
  denseConfig,
  densePairs,
  embeddingTensors,
  evenHeadDim,
  fixedForDense,
  ropeFreqs,
} from './dense.ts';

const settings = (config: Json): Json => config.rope_parameters ?? config.rope_scaling ?? {};

/** A number of the rope parameters; undefined when there is none. */
function setting(config: Json, key: string): number | undefined {
  const value: unknown = settings(config)[key];
  if (isAbsent(value)) return undefined;
  if (typeof value === 'number' && value >= 0 && value < 1e6) return value;
  throw configError(`rope parameter "${key}" is ${show(value)}, a positive number is needed`);
}

/** transformers' `get_mscale`. */
const temper = (factor: number, scale: number): number => (factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1);

const config = (defaults: DenseDefaults): Architecture['config'] => [
  ...denseConfig(defaults),
  { hf: 'vocab_size', gguf: ['vocab_size'], type: 'uint32' },
  { hf: 'head_dim', gguf: ['rope.dimension_count'], type: 'uint32', missing: defaults.headDim },
];

const yarnKeys: readonly ConfigRule[] = [
  {
    gguf: ['rope.scaling.yarn_log_multiplier'],
    type: 'float32',
    made: (json) => setting(json, 'mscale_all_dim'),
  },
  {
    gguf: ['attention.temperature_scale'],
    type: 'float32',
    made: (json) => setting(json, 'llama_4_scaling_beta'),
  },
  {
    // llama.cpp takes an `mscale` of 1 for granted.
    gguf: ['rope.scaling.yarn_attn_factor'],
    type: 'float32',
    made: (json) => {
      const [factor = 1, mscale, all] = ['factor', 'mscale', 'mscale_all_dim'].map((key) => setting(json, key));
      if (!isAbsent(settings(json).attention_factor)) return undefined;
      const assumed = temper(factor, 1) / (all ? temper(factor, all) : 1);
      const meant = mscale && all ? temper(factor, mscale) / temper(factor, all) : temper(factor, 1);
      return Math.abs(meant - assumed) < 1e-9 ? undefined : meant;
    },
  },
];

function network(read: NetworkReader) {
  const eps = readEps(read);
  const usual = readAttention(read, { style: 'norm' });
  const scale = read.optionalNumber('attention.temperature_scale', 0, 0, 1e6);
  const length = read.optionalInteger('rope.scaling.original_context_length', 0, 0, 1 << 30);
  if (scale > 0 && length === 0)
    read.fail('attention.temperature_scale', 'there is no rope.scaling.original_context_length to go with it');
  const attention: AttentionSpec = { ...usual, ...(scale > 0 && { temperature: { scale, length } }) };
  const mlp = readGatedMlp(read);
  return decoder(read, () => preNormBlock(eps, attention, mlp));
}

const common = {
  name: 'mistral3',
  fixed: [...fixedForDense, { key: 'attention_bias', values: [false], why: 'Mistral attention has no biases' }],
  slidingWindow: true,
  tensors: [ropeFreqs, ...embeddingTensors, ...denseBlockTensors({ permute: true })],
  network,
  awq: densePairs,
  preTokenizers: { 'llama-bpe': 'tekken' },
} as const satisfies Partial<Architecture>;

export const ministral3: Architecture = {
  ...common,
  family: 'ministral3',
  hf: ['Ministral3ForCausalLM', 'Mistral3ForConditionalGeneration'],
  modelType: 'ministral3',
  when: ({ model_type: type }) => type === 'ministral3',
  isOf: (file) => file.number('attention.temperature_scale') !== undefined,
  vocabSize: 131072,
  config: [...config({ contextLength: 262144, heads: 32, kvHeads: 8, rmsEps: 1e-5, headDim: () => 128 }), ...yarnKeys],
  ignored: [
    ...['rope_parameters.max_position_embeddings', 'rope_scaling.max_position_embeddings'],
    ...['rope_parameters.type', 'rope_scaling.type'],
  ],
  rope: {
    types: ['yarn'],
    theta: 1e6,
    missing: {
      rope_type: 'yarn',
      factor: 16,
      original_max_position_embeddings: 16384,
      beta_fast: 32,
      beta_slow: 1,
      mscale: 1,
      mscale_all_dim: 1,
      llama_4_scaling_beta: 0.1,
    },
    more: (numbers) => {
      const number = (key: string) => Number((numbers.at(key) ?? 0).toPrecision(7));
      const all = number('rope.scaling.yarn_log_multiplier');
      const beta = number('attention.temperature_scale');
      return { ...(all && { mscale: 1, mscale_all_dim: all }), ...(beta && { llama_4_scaling_beta: beta }) };
    },
  },
};

export const mistral3: Architecture = {
  ...common,
  family: 'mistral3',
  hf: ['Mistral3ForConditionalGeneration'],
  modelType: 'mistral',
  when: ({ model_type: type }) => type === 'mistral' || type === undefined,
  isOf: (file) => file.number('attention.temperature_scale') === undefined,
  config: config({ contextLength: 131072, heads: 32, kvHeads: 8, rmsEps: 1e-6, headDim: evenHeadDim }),
  rope: { types: ['default', 'linear', 'yarn', 'llama3'] },
  remarks: [
    'Exported without the tower under the class of the wrapper; transformers loads it when "architectures" is made MistralForCausalLM.',
  ],
};
