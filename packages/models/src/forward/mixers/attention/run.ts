// The ops of attention.
import type { Device, Tensor } from '@quern/runtime';
import { project } from '../../pass.ts';
import type { PartCall } from '../../room.ts';
import { temperatureBuffer } from '../../temperature.ts';
import { keyGroup, turn, valueGroup } from './cache-rotation.ts';
import type { AttentionScratch, AttentionState, AttentionWeights } from './room.ts';
import type { AttentionSpec, QkNorm } from './spec.ts';

type Call = PartCall<AttentionSpec, AttentionWeights, AttentionScratch, AttentionState>;

export function attend(call: Call): void {
  const { pass, spec, weights, scratch, state, x, y } = call;
  const { device, blockTokens } = pass;
  const { heads, kvHeads, keyLength: headDim, valueLength: valueDim, scale, window, chunk, softCap, causal } = spec;
  const { q, k, v, attended } = scratch;
  const paging = [pass.blockTable(window), pass.buffer('seqs'), pass.buffer('positions')];

  const own = k && v; // undefined where an earlier block's are read
  if (weights.qkv) projectTogether(call);
  else {
    projectQueries(call);
    if (own) {
      project(pass, x, weights.k!, weights.kBias, k);
      projectValues(call, k, v);
    }
  }
  if (weights.gate) project(pass, x, weights.gate, undefined, scratch.gate!);
  place(call, q, heads, weights.qNorm);
  if (spec.temperature) device.run('multiply', [q, pass.buffer(temperatureBuffer(spec.temperature))], q, {});
  turn(device, q, keyGroup(state.k, headDim));
  if (own) {
    place(call, k, kvHeads, weights.kNorm);
    turn(device, k, keyGroup(state.k, headDim));
    turn(device, v, valueGroup(state.v, valueDim));
    device.run('kvWrite', [k, ...paging], state.k, { blockTokens });
    device.run('kvWrite', [v, ...paging], state.v, { blockTokens });
  }
  const inputs = [q, state.k, state.v, ...paging, ...(weights.sinks ? [weights.sinks] : [])];
  const shape = { heads, kvHeads, headDim, valueDim, blockTokens };
  device.run('attention', inputs, attended, { ...shape, scale, window, chunk, softCap, causal });
  turn(device, attended, valueGroup(state.v, valueDim));
  if (spec.gate) device.run('gate', [attended, scratch.gate!], attended, { act: spec.gate.act });

  project(pass, attended, weights.output, weights.outputBias, y);
}

/** q, and where the spec says so the gates, which come with it. */
function projectQueries({ pass, spec, weights, scratch, x }: Call): void {
  const { device } = pass;
  const { q, gate, queryAndGate } = scratch;
  project(pass, x, weights.q!, weights.qBias, queryAndGate ?? q);
  if (!queryAndGate || !gate) return;
  const { heads, keyLength, valueLength } = spec;
  const byHead = (tensor: Tensor, width: number) => device.view(tensor, [tensor.shape[0]! * heads, width]);
  const both = byHead(queryAndGate, keyLength + valueLength);
  device.run('columns', [both], byHead(q, keyLength), { first: 0 });
  device.run('columns', [both], byHead(gate, valueLength), { first: keyLength });
}

/** From x, or from what k is before its norm. */
function projectValues({ pass, spec, weights, x }: Call, k: Tensor, v: Tensor): void {
  const { device } = pass;
  if (weights.v) project(pass, x, weights.v, weights.vBias, v);
  else device.run('columns', [k], v, { first: 0 });
  if (spec.vNorm) normalizeRows(device, v, spec.valueLength, undefined, spec.vNorm.eps);
}

function projectTogether({ pass, weights, scratch: { q, k, v, qkv }, x }: Call): void {
  project(pass, x, weights.qkv!, weights.qkvBias, qkv!);
  let first = 0;
  for (const part of [q, k!, v!]) {
    pass.device.run('columns', [qkv!], part, { first });
    first += part.shape[1]!;
  }
}

/** Norm and rope of q or k, in place, in the order that the spec says. */
function place({ pass, spec }: Call, x: Tensor, heads: number, norm: Tensor | undefined): void {
  const { rope, qkNorm, keyLength: headDim } = spec;
  const { device } = pass;
  const normalize = (): void => {
    if (qkNorm) normalizeHeads(device, x, headDim, norm, qkNorm);
  };
  if (qkNorm?.at === 'before-rope') normalize();
  if (rope) {
    const { cos, sin } = pass.ropeTable(rope);
    device.run('rope', [x, cos, sin], x, { headDim, rotaryDim: rope.dims, style: rope.style, heads });
  }
  if (qkNorm?.at === 'after-rope') normalize();
}

/** In place. */
function normalizeHeads(
  device: Device,
  x: Tensor,
  headDim: number,
  weight: Tensor | undefined,
  { kind, over, eps }: QkNorm,
): void {
  const width = x.shape[1]!;
  const rowWidth = over === 'width' ? width : headDim;
  // Weights that differ from head to head are those of a whole token.
  const perToken = over === 'each-head' ? weight : undefined;
  normalizeRows(device, x, rowWidth, perToken ? undefined : weight, eps, kind === 'layer' ? 'layerNorm' : 'rmsNorm');
  if (perToken) device.run('multiply', [x, device.view(perToken, [1, width])], x, {});
}

/** In place: x [T, n·width] seen as [T·n, width]. */
function normalizeRows(
  device: Device,
  x: Tensor,
  width: number,
  weight: Tensor | undefined,
  eps: number,
  op: 'rmsNorm' | 'layerNorm' = 'rmsNorm',
): void {
  const rows = device.view(x, [(x.shape[0]! * x.shape[1]!) / width, width]);
  device.run(op, weight ? [rows, weight] : [rows], rows, { eps });
}
