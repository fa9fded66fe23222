// Llama 4 (Scout, Maverick; text part): most blocks see their own chunk of the text, the others everything without positions,
// their queries growing with the distance from the start; q and k normed behind rope without weights; one expert for each
// token, whose input the router weighs, beside one that every token uses. GGUF: Llama4Model of llama.cpp's conversion/llama.py.
import { transposed } from '../change/transposed.ts';
import type { AttentionSpec } from '../forward/mixers/attention/spec.ts';
import type { Network } from '../forward/network.ts';
import type { NetworkReader } from '../network-reader.ts';
import type { Architecture, ConfigRule, Json, TensorRule } from './architecture.ts';
import { isAbsent } from './config-error.ts';
import { decoder, preNormBlock, readAttention, readBlocks, readEps, readGatedMlp } from './decoder.ts';
import {
  attentionBlockTensors,
  attentionPairs,
  denseConfig,
  embeddingTensors,
  fixedForDense,
  inBlock,
  qkvBiasTensors,
  ropeFreqs,
} from './dense.ts';
import { llama4Layers, readLlama4Blocks, routerOf, routerRows } from './llama4-layers.ts';
import { expertCounts, mixedFeedForwardPairs, sharedExpertAt } from './mixture.ts';
import { readExperts } from './read-experts.ts';

const at = 'feed_forward';
/** What llama.cpp takes for granted. */
const [usualScale, usualLength, expertsWithoutNorm] = [0.1, 8192, 128];

/** `intermediate_size` is that of an expert. */
const denseWidth: ConfigRule = {
  hf: 'intermediate_size_mlp',
  gguf: ['feed_forward_length'],
  type: 'uint32',
  missing: () => 16384,
};

/** How fast queries grow in blocks without positions; 0: they do not. The first files have a number for the switch. */
function growth({ attn_scale: scale, attn_temperature_tuning: on }: Json): number {
  if (on === false || on === 0) return 0;
  return isAbsent(scale) ? usualScale : scale;
}

const temperature: readonly ConfigRule[] = [
  {
    gguf: ['attention.temperature_scale'],
    type: 'float32',
    made: (config) => (growth(config) === usualScale ? undefined : growth(config)),
    back: (numbers) => {
      const scale = Number((numbers.at('attention.temperature_scale') ?? usualScale).toPrecision(7));
      return { attn_temperature_tuning: scale > 0, attn_scale: scale || usualScale };
    },
  },
  {
    gguf: ['attention.temperature_length'],
    type: 'uint32',
    made: ({ floor_scale: length }) => (isAbsent(length) || length === usualLength ? undefined : length),
    back: (numbers) => ({ floor_scale: numbers.at('attention.temperature_length') ?? usualLength }),
  },
];

/** llama.cpp guesses it by the number of experts. */
const isNormedByGuess = (experts: number): boolean => experts !== expertsWithoutNorm;

const qkNorm: ConfigRule = {
  gguf: ['attention.qk_norm'],
  type: 'bool',
  made: ({ use_qk_norm: on = true, num_local_experts: experts = 16 }) =>
    on === isNormedByGuess(experts) ? undefined : on,
  back: (numbers) => ({
    use_qk_norm: numbers.has('attention.qk_norm')
      ? numbers.isTrue('attention.qk_norm')
      : isNormedByGuess(numbers.at('expert_count') ?? 0),
  }),
};

const layersWithExperts: ConfigRule = {
  gguf: [],
  type: 'uint32',
  made: () => undefined,
  back: (numbers) => ({
    moe_layers: Array.from({ length: numbers.blocks }, (_, block) => block).filter((block) =>
      numbers.rowsOf(routerOf(block)),
    ),
  }),
};

const isSparse: NonNullable<TensorRule['blocks']> = ({ numbers, block }) =>
  numbers.rowsOf(routerOf(block)) !== undefined;
const isDense: NonNullable<TensorRule['blocks']> = (place) => !isSparse(place);

const dense = (hf: string, gguf: string, shape: TensorRule['shape']) =>
  inBlock(`${at}.${hf}.weight`, `${gguf}.weight`, shape, { blocks: isDense });

/** Transposed and fused; compressed checkpoints have the matrices of each expert apart. */
function stack(hf: string, gguf: string, shape: TensorRule['shape'], half?: 0 | 1): TensorRule {
  const stored = half === undefined ? hf : 'gate_up_proj';
  const part =
    half === undefined ? {} : { part: { index: half, of: ['expertFf', 'expertFf'], columns: true } as const };
  return inBlock(`${at}.experts.${stored}`, `${gguf}.weight`, shape, {
    ...part,
    changes: [transposed],
    blocks: isSparse,
    also: [{ name: `model.layers.{i}.${at}.experts.{j}.${hf}.weight` }],
  });
}

function attentionOf(read: NetworkReader, eps: number): (block: number) => AttentionSpec {
  const { window: _, rope, ...usual } = readAttention(read, { style: 'norm' });
  const blocks = readLlama4Blocks(read, readBlocks(read));
  const normed = read.optionalSwitch(
    'attention.qk_norm',
    isNormedByGuess(read.optionalInteger('expert_count', 0, 0, 1 << 16)),
  );
  const scale = read.optionalNumber('attention.temperature_scale', usualScale, 0, 1e6);
  const length = read.optionalInteger('attention.temperature_length', usualLength, 1, 1 << 30);
  return (block) => {
    const { chunk, placed } = blocks[block]!;
    const seen = { ...usual, ...(chunk !== undefined && { chunk }) };
    if (!placed) return { ...seen, ...(scale > 0 && { temperature: { scale, length, first: 1 } }) };
    return {
      ...seen,
      rope,
      ...(normed && { qkNorm: { eps, weighted: false, over: 'head', at: 'after-rope' } as const }),
    };
  };
}

function network(read: NetworkReader): Network {
  const eps = readEps(read);
  const [attention, mlp] = [attentionOf(read, eps), readGatedMlp(read)];
  const experts = readExperts(read, { over: 'all', score: 'sigmoid', weighsInput: true });
  const { width, activation } = experts;
  return decoder(read, (i) =>
    read.hasTensor(routerOf(i))
      ? preNormBlock(eps, attention(i), experts, { kind: 'shared-expert', width, activation, gated: false })
      : preNormBlock(eps, attention(i), mlp),
  );
}

const flag = { presence: { flag: 'attention_bias' } } as const;

export const llama4: Architecture = {
  family: 'llama4',
  name: 'llama4',
  hf: ['Llama4ForCausalLM', 'Llama4ForConditionalGeneration'],
  modelType: ['llama4_text', 'llama4'],
  vocabSize: 202048,
  config: [
    ...denseConfig({
      contextLength: 131072,
      heads: 40,
      kvHeads: 8,
      rmsEps: 1e-5,
      headDim: () => 128,
      experts: expertCounts({ experts: 16, used: 1 }, ['num_local_experts']),
    }).map((rule) => (typeof rule === 'object' && rule.gguf[0] === 'feed_forward_length' ? denseWidth : rule)),
    { hf: 'vocab_size', gguf: ['vocab_size'], type: 'uint32', missing: () => 202048 },
    { hf: 'head_dim', gguf: ['rope.dimension_count'], type: 'uint32', missing: () => 128 },
    {
      hf: 'interleave_moe_layer_step',
      gguf: ['interleave_moe_layer_step'],
      type: 'uint32',
      min: 0,
      missing: () => 1,
    },
    { hf: 'intermediate_size', gguf: ['expert_feed_forward_length'], type: 'uint32', missing: () => 8192 },
    ...llama4Layers,
    ...temperature,
    qkNorm,
    layersWithExperts,
  ],
  fixed: [
    ...fixedForDense,
    { key: 'num_experts_per_tok', values: [1], why: 'the router weighs the input of one expert' },
  ],
  // What `no_rope_layers` says, and how a tool unrolls experts.
  ignored: ['no_rope_layer_interval', 'for_llm_compressor'],
  rows: routerRows,
  rope: { types: ['default', 'linear', 'yarn', 'llama3'], theta: 500000 },
  slidingWindow: false,
  tensors: [
    ropeFreqs,
    ...embeddingTensors,
    ...attentionBlockTensors({ permute: false }),
    ...qkvBiasTensors({ permute: false, ...flag }),
    inBlock('self_attn.o_proj.bias', 'attn_output.bias', ['embd'], flag),
    dense('gate_proj', 'ffn_gate', ['ff', 'embd']),
    dense('up_proj', 'ffn_up', ['ff', 'embd']),
    dense('down_proj', 'ffn_down', ['embd', 'ff']),
    inBlock(`${at}.router.weight`, 'ffn_gate_inp.weight', ['experts', 'embd'], { blocks: isSparse }),
    stack('gate_proj', 'ffn_gate_exps', ['experts', 'expertFf', 'embd'], 0),
    stack('up_proj', 'ffn_up_exps', ['experts', 'expertFf', 'embd'], 1),
    stack('down_proj', 'ffn_down_exps', ['experts', 'embd', 'expertFf']),
    ...sharedExpertAt(`${at}.shared_expert`).map((rule) => ({ ...rule, blocks: isSparse })),
  ],
  sizes: (_numbers, _block, { expertFf }) => ({ sharedFf: expertFf! }),
  experts: true,
  network,
  awq: [...attentionPairs, ...mixedFeedForwardPairs],
  preTokenizers: { 'llama-bpe': 'llama4', 'gpt-4o': 'llama4' },
  remarks: [
    'Exported without the tower: as Llama4ForCausalLM.',
    'AWQ and GPTQ: --awq-scales folds into a GGUF file; folders refuse stacks of transposed experts',
    'llama.cpp knows the published models by heart: chunks of 8192 in three layers of four, no positions in the fourth, whose queries grow by 0.1 every 8192 tokens, norms of q and k but for 128 experts. Whatever config.json says otherwise is written down as llama4.attention.sliding_window (the chunk), attention.sliding_window_pattern, rope.pattern, attention.temperature_scale and _length, attention.qk_norm; llama.cpp reads the second alone.',
  ],
};
