// The ops of latent attention.
import type { Tensor } from '@quern/runtime';
import { project, projectExperts } from '../../pass.ts';
import type { PartCall } from '../../room.ts';
import type { LatentAttentionScratch, LatentAttentionState, LatentAttentionWeights } from './room.ts';
import type { LatentAttentionSpec } from './spec.ts';

type Call = PartCall<LatentAttentionSpec, LatentAttentionWeights, LatentAttentionScratch, LatentAttentionState>;

export function attendLatents(call: Call): void {
  const { pass, spec, weights, scratch, state, x, y } = call;
  const { device, blockTokens } = pass;
  const { heads, rank, rotaryLength, valueLength, scale } = spec;
  const paging = [pass.blockTable(undefined), pass.buffer('seqs'), pass.buffer('positions')];

  query(call);
  device.run('kvWrite', [latents(call), ...paging], state.latents, { blockTokens });
  // One key-value head, whose value is the first part of its key.
  device.run('attention', [scratch.query, state.latents, state.latents, ...paging], scratch.mixed, {
    ...{ heads, kvHeads: 1, headDim: rank + rotaryLength, valueDim: rank },
    ...{ scale, blockTokens },
  });
  projectExperts(pass, byHead(call, scratch.mixed, rank), weights.vB, scratch.headIds, scratch.values);
  const values = device.view(scratch.values, [y.shape[0]!, heads * valueLength]);
  if (scratch.gate) {
    project(pass, x, weights.gate!, undefined, scratch.gate);
    device.run('gate', [values, scratch.gate], values, { act: 'sigmoid' });
  }
  project(pass, values, weights.output, undefined, y);
}

/** Of every head [Kₕᵀ · qₕ, rope(q'ₕ)], into `scratch.query`. */
function query(call: Call): void {
  const { pass, spec, weights, scratch, x } = call;
  const { device } = pass;
  const { heads, rank, plainLength, rotaryLength, eps } = spec;
  if (scratch.qA) {
    project(pass, x, weights.qA!, undefined, scratch.qA);
    device.run('rmsNorm', [scratch.qA, weights.qANorm!], scratch.qA, { eps });
    project(pass, scratch.qA, weights.qB!, undefined, scratch.q);
  } else {
    project(pass, x, weights.q!, undefined, scratch.q);
  }
  const q = byHead(call, scratch.q, plainLength + rotaryLength);
  const rotary = byHead(call, scratch.qRotary, rotaryLength);
  const whole = byHead(call, scratch.query, rank + rotaryLength);
  device.run('columns', [q], scratch.plain, { first: 0 });
  device.run('columns', [q], rotary, { first: plainLength });
  rotate(call, scratch.qRotary, heads);
  projectExperts(pass, scratch.plain, weights.kB, scratch.headIds, scratch.absorbed);
  device.run('putColumns', [scratch.absorbed], whole, { first: 0 });
  device.run('putColumns', [rotary], whole, { first: rank });
}

/** What is kept of every token. */
function latents(call: Call): Tensor {
  const { pass, spec, weights, scratch, x } = call;
  const { device } = pass;
  const { rank, eps } = spec;
  const { kvA, latent, kRotary } = scratch;
  project(pass, x, weights.kvA, undefined, kvA);
  device.run('columns', [kvA], latent, { first: 0 });
  device.run('columns', [kvA], kRotary, { first: rank });
  device.run('rmsNorm', [latent, weights.kvANorm], latent, { eps });
  rotate(call, kRotary, 1);
  device.run('putColumns', [latent], kvA, { first: 0 });
  device.run('putColumns', [kRotary], kvA, { first: rank });
  return kvA;
}

function rotate({ pass, spec: { rope, rotaryLength: headDim } }: Call, x: Tensor, heads: number): void {
  if (!rope) return;
  const { cos, sin } = pass.ropeTable(rope);
  pass.device.run('rope', [x, cos, sin], x, { heads, headDim, rotaryDim: rope.dims, style: rope.style });
}

/** x [T, heads·width] or [T·heads, width] as [T·heads, width]. */
const byHead = ({ pass, spec: { heads }, y }: Call, x: Tensor, width: number): Tensor =>
  pass.device.view(x, [y.shape[0]! * heads, width]);
