// What attention wants, keeps and shares out; its ops are in run.ts.
import type { Tensor } from '@quern/runtime';
import { type Divider, type Division, floats, type Room, type RoomTensor } from '../../room.ts';
import { attend } from './run.ts';
import type { AttentionSpec, QkNorm } from './spec.ts';

export interface AttentionWeights {
  readonly q?: Tensor; // [heads·keyLength, C], or with a gate behind every head
  readonly k?: Tensor; // [kvHeads·keyLength, C]
  readonly v?: Tensor; // [kvHeads·valueLength, C]
  readonly qkv?: Tensor; // in place of the three, their rows one after the other
  readonly qkvBias?: Tensor;
  readonly output: Tensor; // [C, heads·valueLength]
  readonly qBias?: Tensor;
  readonly kBias?: Tensor;
  readonly vBias?: Tensor;
  readonly outputBias?: Tensor;
  readonly gate?: Tensor; // [heads·valueLength or heads, C]
  readonly qNorm?: Tensor;
  readonly kNorm?: Tensor;
  readonly sinks?: Tensor; // [heads]
}

export interface AttentionScratch {
  readonly q: Tensor; // [T, heads·keyLength]
  readonly k?: Tensor; // [T, kvHeads·keyLength]
  readonly v?: Tensor; // [T, kvHeads·valueLength]
  readonly attended: Tensor; // [T, heads·valueLength]
  readonly queryAndGate?: Tensor; // [T, heads·(keyLength + valueLength)]
  readonly gate?: Tensor; // [T, heads·valueLength or heads]
  readonly qkv?: Tensor; // [T, rows of the fused matrix]
}

export interface AttentionState {
  readonly k: Tensor; // [cells, kvHeads·keyLength]
  readonly v: Tensor; // [cells, kvHeads·valueLength]
}

export const attention: Room<AttentionSpec, AttentionWeights, AttentionScratch, AttentionState> = {
  title: 'attention',
  tensors: (spec, width) => {
    const { attended } = widthsOf(spec);
    const { biases, qkNorm } = spec;
    const own = spec.keysOf === undefined;
    const weighted = qkNorm && qkNorm.weighted !== false;
    return {
      ...(spec.fused ? fusedTensors(spec, width) : separateTensors(spec, width)),
      ...(hasGateMatrix(spec) && { gate: gateTensor(spec, width) }),
      output: { name: 'attn_output.weight', shape: [width, attended], cols: 'attended' },
      ...(biases.output && { outputBias: { name: 'attn_output.bias', shape: [width], once: true } }),
      ...(weighted && { qNorm: normTensor(spec, qkNorm, 'attn_q_norm.weight', 'heads') }),
      ...(weighted && own && { kNorm: normTensor(spec, qkNorm, 'attn_k_norm.weight', 'kvHeads') }),
      ...(spec.sinks && { sinks: { name: 'attn_sinks.weight', shape: [spec.heads], cols: 'heads' } }),
    };
  },
  scratch: (spec) => {
    const { q, k, v, attended, projected } = widthsOf(spec);
    const keys = spec.keysOf === undefined && { k: floats(k), v: floats(v) };
    const gate = spec.gate && {
      gate: floats(spec.gate.in === 'heads' ? spec.heads : attended),
      ...(spec.gate.in === 'query' && { queryAndGate: floats(projected) }),
    };
    const fused = spec.fused && { qkv: floats(q + k + v) };
    return { q: floats(q), ...keys, ...gate, ...fused, attended: floats(attended) };
  },
  state: ({ kvHeads, keyLength, valueLength, window }) => ({
    k: { kind: 'paged', holds: 'keys', heads: kvHeads, headWidth: keyLength, window },
    v: { kind: 'paged', holds: 'values', heads: kvHeads, headWidth: valueLength, window },
  }),
  stateOf: ({ keysOf }) => keysOf,
  divide: byHeads,
  unsupported: ({ keyLength, valueLength }) =>
    keyLength % 4 !== 0 || valueLength % 4 !== 0
      ? `Heads of ${keyLength} (key) and ${valueLength} (value) scalars are not supported: multiples of 4 are.`
      : undefined,
  run: attend,
};

function separateTensors(spec: AttentionSpec, width: number) {
  const { k, v, projected } = widthsOf(spec);
  const { biases } = spec;
  const own = spec.keysOf === undefined;
  return {
    q: { name: 'attn_q.weight', shape: [projected, width], rows: 'projected' },
    ...(own && {
      k: { name: 'attn_k.weight', shape: [k, width], rows: 'k' },
      ...(!spec.keysAreValues && { v: { name: 'attn_v.weight', shape: [v, width], rows: 'v' } }),
    }),
    ...(biases.qkv && { qBias: { name: 'attn_q.bias', shape: [projected], cols: 'projected' } }),
    ...(biases.qkv &&
      own && {
        kBias: { name: 'attn_k.bias', shape: [k], cols: 'k' },
        vBias: { name: 'attn_v.bias', shape: [v], cols: 'v' },
      }),
  };
}

function fusedTensors(spec: AttentionSpec, width: number) {
  const { q, k, v } = widthsOf(spec);
  return {
    qkv: { name: 'attn_qkv.weight', shape: [q + k + v, width] },
    ...(spec.biases.qkv && { qkvBias: { name: 'attn_qkv.bias', shape: [q + k + v] } }),
  };
}

function normTensor(spec: AttentionSpec, { over }: QkNorm, name: string, of: 'heads' | 'kvHeads'): RoomTensor {
  const { [of]: heads, keyLength } = spec;
  if (over === 'each-head') return { name, shape: [heads, keyLength], rows: of, plain: true };
  return { name, shape: [over === 'head' ? keyLength : heads * keyLength] };
}

const hasGateMatrix = ({ gate }: AttentionSpec) => gate !== undefined && gate.in !== 'query';

function gateTensor(spec: AttentionSpec, width: number): RoomTensor {
  const perHead = spec.gate!.in === 'heads';
  const rows = perHead ? spec.heads : widthsOf(spec).attended;
  return { name: 'attn_gate.weight', shape: [rows, width], rows: perHead ? 'heads' : 'attended' };
}

/** Rows of `attn_q` for one head. */
const queryLength = ({ keyLength, valueLength, gate }: AttentionSpec) =>
  keyLength + (gate?.in === 'query' ? valueLength : 0);

function widthsOf(spec: AttentionSpec) {
  const { heads, kvHeads, keyLength, valueLength } = spec;
  return {
    q: heads * keyLength,
    projected: heads * queryLength(spec),
    k: kvHeads * keyLength,
    v: kvHeads * valueLength,
    attended: heads * valueLength,
  };
}

/** q, k, v by heads (rows), the output by the same heads (columns). */
function byHeads(spec: AttentionSpec, divider: Divider): Division<AttentionSpec> {
  const { heads, kvHeads, keyLength, valueLength, qkNorm, fused } = spec;
  // A device's heads are no range of rows there.
  if (fused) divider.count(1, 'matrix of q, k and v together');
  const keys = divider.units(kvHeads, keyLength, 'key-value heads');
  // A norm over all heads needs the heads of all devices.
  if (qkNorm?.over === 'width') divider.count(1, 'norm over all heads');
  return {
    spec: { ...spec, heads: divider.count(heads, 'heads'), kvHeads: divider.count(kvHeads, 'key-value heads') },
    ranges: {
      q: divider.units(heads, keyLength, 'heads'),
      projected: divider.units(heads, queryLength(spec), 'heads'),
      k: keys,
      v: divider.units(kvHeads, valueLength, 'key-value heads'),
      attended: divider.units(heads, valueLength, 'heads'),
      heads: divider.units(heads, 1, 'heads'),
      kvHeads: divider.units(kvHeads, 1, 'key-value heads'),
    },
  };
}
