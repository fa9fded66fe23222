// Falcon-H1: in every block attention and a Mamba-2 mixer side by side, then a gated MLP; factors of config.json go into the
// weights. GGUF: FalconH1Model of llama.cpp's conversion/falcon_h1.py; transformers models/falcon_h1.

import type { Change } from '../change/change.ts';
import { scaledBy, scaledParts } from '../change/scaled-by-numbers.ts';
import { rmsNorm } from '../forward/norm.ts';
import type { Architecture, ConfigRule, Json, TensorRule } from './architecture.ts';
import { configError, count, isAbsent, show } from './config-error.ts';
import { decoder, readAttention, readEps, readGatedMlp } from './decoder.ts';
import { inBlock, outsideBlocks } from './dense.ts';
import { mamba2Sizes, mamba2Tensors, noTimeStepLimit, readMamba2 } from './mamba2.ts';
import { maxBlocks } from './model-numbers.ts';

const number = (key: string, value: unknown): number => {
  if (typeof value === 'number' && Number.isFinite(value) && value !== 0) return Math.fround(value);
  throw configError(`"${key}" is ${show(value)}, a number other than 0 is needed`);
};

const factor = (key: string): ConfigRule => ({
  gguf: [key],
  type: 'float32',
  unwritten: true,
  made: (config) => number(key, config[key] ?? 1),
});

/** The factors of a list, each by itself. */
const factors = (key: string, length: number): ConfigRule[] =>
  Array.from({ length }, (_, index) => ({
    gguf: [`${key}.${index}`],
    type: 'float32',
    unwritten: true,
    made: (config) => {
      const list: unknown = config[key] ?? Array(length).fill(1);
      if (Array.isArray(list) && list.length === length) return number(key, list[index]);
      throw configError(`"${key}" is ${show(list)}, ${length} numbers are needed`);
    },
  }));

const inner = (config: Json): number =>
  isAbsent(config.mamba_d_ssm) ? (config.mamba_expand ?? 2) * config.hidden_size : count(config, 'mamba_d_ssm');

const times = (...keys: string[]): { changes: Change[] } => ({ changes: [scaledBy(...keys)] });

/** Of z, x, b, c and dt. */
const inProjection = scaledParts('ssm_in_multiplier', 'ssm_multipliers', [
  ...['ssmInner', 'ssmInner', 'ssmShared', 'ssmShared', 'ssmHeads'],
]);

const mixer = mamba2Tensors({ at: 'mamba', convolutionBias: 'mamba_conv_bias', blocks: () => true }).map(
  (rule): TensorRule => {
    if (rule.gguf.endsWith('ssm_norm.weight')) return { ...rule, presence: { flag: 'mamba_rms_norm' } };
    if (rule.gguf.endsWith('ssm_in.weight')) return { ...rule, stored: { ...rule.stored!, changes: [inProjection] } };
    if (rule.gguf.endsWith('ssm_out.weight'))
      return { ...rule, stored: { ...rule.stored!, ...times('ssm_out_multiplier') } };
    return rule;
  },
);

const embedding = outsideBlocks('model.embed_tokens.weight', 'token_embd.weight', ['vocab', 'embd']);
const head = outsideBlocks('lm_head.weight', 'output.weight', ['vocab', 'embd'], 'untied');

export const falconH1: Architecture = {
  family: 'falcon-h1',
  name: 'falcon-h1',
  hf: ['FalconH1ForCausalLM'],
  modelType: 'falcon_h1',
  config: [
    { hf: 'max_position_embeddings', gguf: ['context_length'], type: 'uint32', missing: () => 8192 },
    { hf: 'hidden_size', gguf: ['embedding_length'], type: 'uint32' },
    { hf: 'intermediate_size', gguf: ['feed_forward_length'], type: 'uint32' },
    { hf: 'num_attention_heads', gguf: ['attention.head_count'], type: 'uint32' },
    { hf: 'num_hidden_layers', gguf: ['block_count'], type: 'uint32', max: maxBlocks },
    { hf: 'mamba_d_conv', gguf: ['ssm.conv_kernel'], type: 'uint32', missing: () => 4 },
    {
      gguf: ['ssm.inner_size'],
      type: 'uint32',
      made: inner,
      back: (numbers) => ({
        mamba_d_ssm: numbers.at('ssm.inner_size')!,
        mamba_d_head: numbers.at('ssm.inner_size')! / numbers.at('ssm.time_step_rank')!,
      }),
    },
    { hf: 'mamba_d_state', gguf: ['ssm.state_size'], type: 'uint32', missing: () => 256 },
    { hf: 'mamba_n_heads', gguf: ['ssm.time_step_rank'], type: 'uint32', missing: () => 128 },
    { hf: 'mamba_n_groups', gguf: ['ssm.group_count'], type: 'uint32', missing: () => 1 },
    { hf: 'rms_norm_eps', gguf: ['attention.layer_norm_rms_epsilon'], type: 'float32', missing: () => 1e-5 },
    'fileType',
    { hf: 'vocab_size', gguf: ['vocab_size'], type: 'uint32' },
    {
      hf: 'num_key_value_heads',
      gguf: ['attention.head_count_kv'],
      type: 'uint32',
      missing: ({ num_key_value_heads: heads, num_attention_heads: all }: Json) => (heads === null ? all : 8),
    },
    {
      hf: 'head_dim',
      gguf: ['attention.key_length', 'attention.value_length'],
      type: 'uint32',
      missing: ({ hidden_size: width, num_attention_heads: heads }: Json) => Math.floor(width / heads),
    },
    'rope',
    ...['attention_in_multiplier', 'attention_out_multiplier', 'key_multiplier', 'ssm_in_multiplier'].map(factor),
    ...['ssm_out_multiplier', 'embedding_multiplier', 'lm_head_multiplier'].map(factor),
    ...factors('ssm_multipliers', 5),
    ...factors('mlp_multipliers', 2),
  ],
  fixed: [
    { key: 'hidden_act', values: ['silu'], why: 'the gated MLP is computed with SiLU' },
    { key: 'attention_bias', values: [false], why: 'biases are not mapped' },
    { key: 'mlp_bias', values: [false], why: 'biases are not mapped' },
    { key: 'projectors_bias', values: [false], why: 'biases are not mapped' },
    { key: 'mamba_proj_bias', values: [false], why: 'biases are not mapped' },
    noTimeStepLimit,
  ],
  ignored: [
    'mamba_d_head',
    'mamba_expand',
    'mamba_norm_before_gate',
    'mamba_use_mlp',
    'layer_types',
    'layers_block_type',
  ],
  unsupported: (config) => {
    if (config.mamba_rms_norm === true && config.mamba_norm_before_gate !== false)
      return '"mamba_norm_before_gate": true (llama.cpp norms what the gate has passed)';
    if (config.tie_word_embeddings !== true) return undefined;
    const [before, behind] = [config.embedding_multiplier ?? 1, config.lm_head_multiplier ?? 1];
    return before === behind
      ? undefined
      : `"embedding_multiplier": ${before} with a tied head of ${behind} (GGUF has one matrix)`;
  },
  rope: { types: ['default'] },
  slidingWindow: false,
  sizes: (_numbers, _block, sizes) => ({
    ...mamba2Sizes(sizes),
    ssmShared: (sizes.ssmGroups ?? 1) * (sizes.ssmState ?? 0),
  }),
  tensors: [
    { ...embedding, stored: { ...embedding.stored!, ...times('embedding_multiplier') } },
    { ...head, stored: { ...head.stored!, ...times('lm_head_multiplier') } },
    outsideBlocks('model.final_layernorm.weight', 'output_norm.weight', ['embd']),
    inBlock('input_layernorm.weight', 'attn_norm.weight', ['embd']),
    ...mixer,
    inBlock('self_attn.q_proj.weight', 'attn_q.weight', ['q', 'embd'], times('attention_in_multiplier')),
    inBlock(
      'self_attn.k_proj.weight',
      'attn_k.weight',
      ['k', 'embd'],
      times('key_multiplier', 'attention_in_multiplier'),
    ),
    inBlock('self_attn.v_proj.weight', 'attn_v.weight', ['v', 'embd'], times('attention_in_multiplier')),
    inBlock('self_attn.o_proj.weight', 'attn_output.weight', ['embd', 'attnOut'], times('attention_out_multiplier')),
    inBlock('pre_ff_layernorm.weight', 'ffn_norm', ['embd']),
    inBlock('feed_forward.gate_proj.weight', 'ffn_gate.weight', ['ff', 'embd'], times('mlp_multipliers.0')),
    inBlock('feed_forward.up_proj.weight', 'ffn_up.weight', ['ff', 'embd']),
    inBlock('feed_forward.down_proj.weight', 'ffn_down.weight', ['embd', 'ff'], times('mlp_multipliers.1')),
  ],
  preTokenizers: { 'llama-bpe': 'falcon-h1' },
  network: (read) => {
    const eps = readEps(read);
    const attention = readAttention(read, { style: 'neox' });
    const normed = read.hasTensor('blk.0.ssm_norm.weight');
    const mamba = readMamba2(read, 0, normed ? { eps } : undefined);
    const mlp = readGatedMlp(read);
    const block = {
      subLayers: [
        { before: rmsNorm('attn_norm', eps), parts: [{ room: attention }, { room: mamba }] },
        { before: { kind: 'rms', name: 'ffn_norm', bare: true, eps } as const, parts: [{ room: mlp }] },
      ],
    };
    return decoder(read, () => block);
  },
  awq: [],
  notPacked: 'the norm before attention also feeds the Mamba-2 mixer, whose convolution no scale can pass',
  remarks: ['multipliers are part of the weights in GGUF, and of those that come back; config.json then names none'],
};
