// What latent attention wants, keeps and shares out; its ops are in run.ts.
import type { Tensor } from '@quern/runtime';
import { counting, floats, type Room } from '../../room.ts';
import { attendLatents } from './run.ts';
import type { LatentAttentionSpec } from './spec.ts';

export interface LatentAttentionWeights {
  readonly q?: Tensor; // [heads·(plain + rotary), C]
  readonly qA?: Tensor; // [queryRank, C]
  readonly qANorm?: Tensor; // [queryRank]
  readonly qB?: Tensor; // [heads·(plain + rotary), queryRank]
  readonly kvA: Tensor; // [rank + rotary, C]
  readonly kvANorm: Tensor; // [rank]
  readonly kB: Tensor; // [heads, rank, plain]: Kₕ transposed
  readonly vB: Tensor; // [heads, valueLength, rank]
  readonly gate?: Tensor; // [heads, C]
  readonly output: Tensor; // [C, heads·valueLength]
}

export interface LatentAttentionScratch {
  readonly headIds: Tensor; // [T, heads] I32
  readonly qA?: Tensor; // [T, queryRank]
  readonly q: Tensor; // [T, heads·(plain + rotary)]
  readonly plain: Tensor; // [T·heads, plain]
  readonly qRotary: Tensor; // [T, heads·rotary]
  readonly absorbed: Tensor; // [T·heads, rank]
  readonly query: Tensor; // [T, heads·(rank + rotary)]
  readonly kvA: Tensor; // [T, rank + rotary]
  readonly latent: Tensor; // [T, rank]
  readonly kRotary: Tensor; // [T, rotary]
  readonly mixed: Tensor; // [T, heads·rank]
  readonly values: Tensor; // [T·heads, valueLength]
  readonly gate?: Tensor; // [T, heads]
}

export interface LatentAttentionState {
  readonly latents: Tensor; // [cells, rank + rotary]
}

export const latentAttention: Room<
  LatentAttentionSpec,
  LatentAttentionWeights,
  LatentAttentionScratch,
  LatentAttentionState
> = {
  title: 'latent attention',
  tensors: ({ heads, queryRank, rank, plainLength, rotaryLength, valueLength, gated }, width) => {
    const q = heads * (plainLength + rotaryLength);
    return {
      ...(queryRank === undefined
        ? { q: { name: 'attn_q.weight', shape: [q, width] } }
        : {
            qA: { name: 'attn_q_a.weight', shape: [queryRank, width] },
            qANorm: { name: 'attn_q_a_norm.weight', shape: [queryRank] },
            qB: { name: 'attn_q_b.weight', shape: [q, queryRank] },
          }),
      kvA: { name: 'attn_kv_a_mqa.weight', shape: [rank + rotaryLength, width] },
      kvANorm: { name: 'attn_kv_a_norm.weight', shape: [rank] },
      kB: { name: 'attn_k_b.weight', shape: [heads, rank, plainLength] },
      vB: { name: 'attn_v_b.weight', shape: [heads, valueLength, rank] },
      ...(gated && { gate: { name: 'attn_gate.weight', shape: [heads, width] } }),
      output: { name: 'attn_output.weight', shape: [width, heads * valueLength] },
    };
  },
  scratch: ({ heads, queryRank, rank, plainLength, rotaryLength, valueLength, gated }) => ({
    headIds: counting(heads),
    ...(queryRank !== undefined && { qA: floats(queryRank) }),
    q: floats(heads * (plainLength + rotaryLength)),
    plain: floats(plainLength, heads),
    qRotary: floats(heads * rotaryLength),
    absorbed: floats(rank, heads),
    query: floats(heads * (rank + rotaryLength)),
    kvA: floats(rank + rotaryLength),
    latent: floats(rank),
    kRotary: floats(rotaryLength),
    mixed: floats(heads * rank),
    values: floats(valueLength, heads),
    ...(gated && { gate: floats(heads) }),
  }),
  state: ({ rank, rotaryLength }) => ({
    latents: { kind: 'paged', holds: 'keys', heads: 1, headWidth: rank + rotaryLength },
  }),
  unsupported: ({ rank, rotaryLength }) =>
    rank % 4 !== 0 || rotaryLength % 4 !== 0
      ? `Latents of ${rank} scalars with ${rotaryLength} rotary ones are not supported: multiples of 4 are.`
      : undefined,
  run: attendLatents,
};
