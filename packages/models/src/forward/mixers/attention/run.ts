// The ops of attention.
import type { Device, Tensor } from '@quern/runtime';
import { project } from '../../pass.ts';
import type { PartCall } from '../../room.ts';
import type { AttentionScratch, AttentionState, AttentionWeights } from './room.ts';
import type { AttentionSpec, QkNorm } from './spec.ts';

type Call = PartCall<AttentionSpec, AttentionWeights, AttentionScratch, AttentionState>;

export function attend(call: Call): void {
  const { pass, spec, weights, scratch, state, x, y } = call;
  const { device, blockTokens } = pass;
  const { heads, kvHeads, keyLength: headDim, scale, window, qkNorm } = spec;
  const { q, k, v, attended } = scratch;

  project(pass, x, weights.q, weights.qBias, q);
  project(pass, x, weights.k, weights.kBias, k);
  project(pass, x, weights.v, weights.vBias, v);

  if (qkNorm?.at === 'before-rope') normalize(call, qkNorm);
  rotate(call);
  if (qkNorm?.at === 'after-rope') normalize(call, qkNorm);

  const paging = [pass.buffer('blockTable'), pass.buffer('seqs'), pass.buffer('positions')];
  device.run('kvWrite', [k, ...paging], state.k, { blockTokens });
  device.run('kvWrite', [v, ...paging], state.v, { blockTokens });
  const shape = { heads, kvHeads, headDim, scale, blockTokens, ...(window !== undefined && { window }) };
  device.run('attention', [q, state.k, state.v, ...paging], attended, shape);

  project(pass, attended, weights.output, weights.outputBias, y);
}

function normalize({ pass: { device }, weights, scratch: { q, k } }: Call, norm: QkNorm): void {
  normalizeRows(device, q, weights.qNorm!, norm.eps);
  normalizeRows(device, k, weights.kNorm!, norm.eps);
}

/** In place: x [T, n·width] seen as [T·n, width]. */
function normalizeRows(device: Device, x: Tensor, weight: Tensor, eps: number): void {
  const width = weight.shape[0]!;
  const rows = device.view(x, [(x.shape[0]! * x.shape[1]!) / width, width]);
  device.run('rmsNorm', [rows, weight], rows, { eps });
}

function rotate({ pass, spec, scratch: { q, k } }: Call): void {
  const { rope, heads, kvHeads, keyLength: headDim } = spec;
  if (!rope) return;
  const { cos, sin } = pass.ropeTable(rope);
  const shape = { headDim, rotaryDim: rope.dims, style: rope.style };
  pass.device.run('rope', [q, cos, sin], q, { ...shape, heads });
  pass.device.run('rope', [k, cos, sin], k, { ...shape, heads: kvHeads });
}
