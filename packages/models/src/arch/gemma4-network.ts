// The network of Gemma 4 (transformers' modeling_gemma4.py). Attention is not scaled, q and k have norms with weights and v
// one without; layers that see everything have other heads, and only a part of their pairs turns.
import type { ExpertsSpec } from '../forward/feed-forwards/experts/spec.ts';
import type { FeedForwardSpec } from '../forward/feed-forwards/index.ts';
import type { AttentionSpec } from '../forward/mixers/attention/spec.ts';
import type { BlockSpec, Network, SubLayerSpec } from '../forward/network.ts';
import { rmsNorm } from '../forward/norm.ts';
import type { NetworkReader } from '../network-reader.ts';
import { decoder, maxWidth, readBlocks, readEps, readRope, readWindowRope } from './decoder.ts';
import { geluMlp, withScaledEmbedding } from './gemma.ts';
import { maxExperts } from './mixture.ts';

export function gemma4Network(read: NetworkReader): Network {
  const eps = readEps(read);
  const blocks = readBlocks(read);
  const windowed = read.switchPerLayer('attention.sliding_window_pattern', blocks);
  const shared = read.optionalInteger('attention.shared_kv_layers', 0, 0, blocks - 1);
  const attention = readAttentions(read, windowed, blocks - shared, eps);
  const widths = read.perLayer('feed_forward_length', blocks, 1, maxWidth);
  const experts = read.has('expert_count') ? readExperts(read, eps) : undefined;
  const input = read.optionalInteger('embedding_length_per_layer_input', 0, 0, maxWidth);
  const cap = read.optionalNumber('final_logit_softcapping', 0, 0, 1e6);
  const network = decoder(read, (i): BlockSpec => {
    const subLayers: SubLayerSpec[] = [
      {
        before: rmsNorm('attn_norm', eps),
        parts: [{ room: attention(i) }],
        after: rmsNorm('post_attention_norm', eps),
      },
      feedForward(eps, geluMlp(read, widths[i]), experts),
    ];
    if (input > 0)
      subLayers.push({
        parts: [{ room: { kind: 'per-layer-input', block: i, width: input, activation: { act: 'gelu' } } }],
        after: rmsNorm('post_norm', eps),
      });
    if (!read.hasTensor(`blk.${i}.layer_output_scale.weight`)) return { subLayers };
    const last = { ...subLayers.at(-1)!, streamScale: 'layer_output_scale' };
    return { subLayers: [...subLayers.slice(0, -1), last] };
  });
  const unused = Array.from({ length: shared }, (_, i) => blocks - shared + i).flatMap((block) =>
    ['attn_k', 'attn_k_norm', 'attn_v'].map((name) => `blk.${block}.${name}.weight`),
  );
  const scaled = withScaledEmbedding(network);
  return {
    ...scaled,
    embedding: { ...scaled.embedding, ...(input > 0 && { perLayer: { width: input, eps } }) },
    output: { ...network.output, ...(cap > 0 && { softCap: cap }) },
    unused,
  };
}

/** The MLP, with experts beside it where there are any. */
function feedForward(eps: number, mlp: FeedForwardSpec, experts: ExpertsSpec | undefined): SubLayerSpec {
  const [before, after] = [rmsNorm('ffn_norm', eps), rmsNorm('post_ffw_norm', eps)];
  if (!experts) return { before, parts: [{ room: mlp }], after };
  return {
    parts: [
      { room: mlp, before, after: rmsNorm('post_ffw_norm_1', eps) },
      { room: experts, before: rmsNorm('pre_ffw_norm_2', eps), after: rmsNorm('post_ffw_norm_2', eps) },
    ],
    after,
  };
}

function readExperts(read: NetworkReader, eps: number): ExpertsSpec {
  const count = read.integer('expert_count', 1, maxExperts);
  const width = read.integer('embedding_length', 1, 1 << 20);
  return {
    kind: 'experts',
    count,
    used: read.integer('expert_used_count', 1, count),
    width: read.uniformInteger('expert_feed_forward_length', 1, maxWidth),
    activation: { act: 'gelu' },
    fused: true,
    router: {
      score: 'softmax',
      over: 'chosen',
      ownNorm: { eps, scale: 1 / Math.sqrt(width) },
      expertScale: true,
    },
  };
}

/** By block. Layers from `own` on use the keys and values of the last of their kind before. */
function readAttentions(
  read: NetworkReader,
  windowed: readonly boolean[],
  own: number,
  eps: number,
): (block: number) => AttentionSpec {
  const heads = read.uniformInteger('attention.head_count', 1, 1 << 16);
  const kvHeads = read.perLayer('attention.head_count_kv', windowed.length, 1, 1 << 16);
  const size = (key: string, fallback?: number) =>
    fallback === undefined ? read.integer(key, 1, 1 << 16) : read.optionalInteger(key, fallback, 1, 1 << 16);
  const keyLength = size('attention.key_length');
  const windowKeyLength = size('attention.key_length_swa', keyLength);
  const window = read.integer('attention.sliding_window', 1, 1 << 30);
  const rope = readRope(read, 'neox', keyLength);
  const { divisors: _, ...plain } = readWindowRope(read, rope, 10000);
  const windowRope = { ...plain, dims: size('rope.dimension_count_swa', windowKeyLength) };
  const specs = windowed.map((has, block): AttentionSpec => {
    if (heads % kvHeads[block]! !== 0)
      read.fail('attention.head_count_kv', `${kvHeads[block]} key-value heads do not divide ${heads} heads`);
    const length = has ? windowKeyLength : keyLength;
    const keysOf = windowed.findLastIndex((other, earlier) => earlier < own && other === has);
    if (block >= own && keysOf < 0)
      read.fail('attention.shared_kv_layers', `block ${block} has no earlier one of its kind`);
    return {
      kind: 'attention',
      heads,
      kvHeads: kvHeads[block]!,
      keyLength: length,
      valueLength: length,
      scale: 1,
      ...(has && { window }),
      rope: has ? windowRope : rope,
      qkNorm: { eps, over: 'head', at: 'before-rope' },
      vNorm: { eps },
      ...(block >= own && { keysOf }),
      ...(!read.hasTensor(`blk.${block}.attn_v.weight`) && { keysAreValues: true }),
      biases: { qkv: false, output: false },
    };
  });
  return (block) => specs[block]!;
}
