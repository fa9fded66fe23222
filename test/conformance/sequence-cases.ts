// Ops with a state for each sequence, and those that move parts of rows: several sequences whose tokens are mixed in the batch,
// with states that go on, in sizes around the widths of vectors. That the state goes on is sequence-states.test.ts's part.
import { type Case, type CaseOperand, floats, integers } from './case.ts';

interface Batch {
  title: string;
  seq: number[];
  slots: number[];
}

const batches: Batch[] = [
  { title: 'one token', seq: [0], slots: [0] },
  { title: 'a prompt', seq: new Array(9).fill(0), slots: [1] },
  { title: 'three sequences, mixed', seq: [2, 0, 0, 2, 1, 0, 2], slots: [4, 0, 2] },
  { title: 'a sequence without tokens', seq: [1, 1], slots: [0, 3] },
];
const SLOTS = 5;

const numbers = ({ seq, slots }: Batch): CaseOperand[] => [
  integers([seq.length], seq),
  integers([slots.length], slots),
];

const convCases = batches.flatMap((batch, i) =>
  [
    { channels: 1, taps: 2 },
    { channels: 37, taps: 4 },
    { channels: 160, taps: 4 },
    { channels: 20, taps: 3 },
  ].map(({ channels, taps }, j): Case<'causalConv'> => {
    const T = batch.seq.length;
    const seed = 2000 + 10 * i + j;
    return {
      op: 'causalConv',
      title: `${batch.title}, ${channels} channels, ${taps} taps`,
      inputs: [
        floats([T, channels], seed),
        floats([channels, taps], seed + 1),
        floats([SLOTS, taps - 1, channels], seed + 2),
        ...numbers(batch),
        ...(j % 2 ? [floats([channels], seed + 3)] : []),
      ],
      outputShape: [T, channels],
      params: j < 2 ? { act: 'silu' } : {},
    };
  }),
);

/** Logarithms of factors: none is above 0. */
function decays(shape: number[], seed: number): CaseOperand {
  const operand = floats(shape, seed);
  const values = new Float32Array(operand.bytes.buffer, operand.bytes.byteOffset, operand.bytes.length / 4);
  return { ...operand, bytes: new Uint8Array(values.map((value) => -Math.abs(value)).buffer) };
}

const deltaCases = batches.flatMap((batch, i) =>
  [
    { heads: 1, kHeads: 1, kDim: 4, vDim: 4, channels: false },
    { heads: 4, kHeads: 2, kDim: 16, vDim: 16, channels: false },
    { heads: 6, kHeads: 2, kDim: 16, vDim: 16, channels: false, neighbours: 3 },
    { heads: 2, kHeads: 2, kDim: 13, vDim: 27, channels: true },
    { heads: 2, kHeads: 1, kDim: 128, vDim: 64, channels: false },
  ].map(({ heads, kHeads, kDim, vDim, channels, neighbours }, j): Case<'gatedDeltaRule'> => {
    const T = batch.seq.length;
    const seed = 2100 + 10 * i + j;
    return {
      op: 'gatedDeltaRule',
      title: `${batch.title}, ${heads}/${kHeads} heads of ${kDim}×${vDim}${channels ? ', decay by channel' : ''}${neighbours ? ', neighbours together' : ''}`,
      inputs: [
        floats([T, 2 * kHeads * kDim + heads * vDim], seed),
        decays([T, channels ? heads * kDim : heads], seed + 1),
        floats([T, heads], seed + 2, 0.5),
        floats([SLOTS, heads, kDim, vDim], seed + 3),
        ...numbers(batch),
      ],
      outputShape: [T, heads * vDim],
      params: { kHeads, neighbours, scale: 1 / Math.sqrt(kDim), normEps: 1e-6 },
    };
  }),
);

const scanCases = batches.flatMap((batch, i) =>
  [
    { heads: 1, groups: 1, headDim: 1, stateDim: 4 },
    { heads: 4, groups: 2, headDim: 16, stateDim: 16 },
    { heads: 6, groups: 3, headDim: 5, stateDim: 27 },
    { heads: 2, groups: 1, headDim: 64, stateDim: 128 },
  ].map(({ heads, groups, headDim, stateDim }, j): Case<'mamba2Scan'> => {
    const T = batch.seq.length;
    const seed = 2200 + 10 * i + j;
    return {
      op: 'mamba2Scan',
      title: `${batch.title}, ${heads} heads of ${headDim}×${stateDim}, ${groups} groups`,
      inputs: [
        floats([T, heads * headDim + 2 * groups * stateDim], seed),
        floats([T, heads], seed + 1, 3),
        decays([heads], seed + 2),
        floats([heads], seed + 3),
        floats([SLOTS, heads, headDim, stateDim], seed + 4),
        ...numbers(batch),
      ],
      outputShape: [T, heads * headDim],
      params: { groups, ...(j === 1 && { dtMin: 0.5, dtMax: 2 }), ...(j === 2 && { dtMax: 1 }) },
    };
  }),
);

const parts = [
  { n: 1, c: 1, first: 0, width: 1, repeat: 1 },
  { n: 6, c: 37, first: 5, width: 13, repeat: 3 },
  { n: 40, c: 96, first: 64, width: 32, repeat: 4 },
];
const columnsCases = parts.map(
  ({ n, c, first, width }, i): Case<'columns'> => ({
    op: 'columns',
    title: `${width} of ${c} from ${first} on, ${n} rows`,
    inputs: [floats([n, c], 2300 + i)],
    outputShape: [n, width],
    params: { first },
  }),
);
const putColumnsCases = parts.map(
  ({ n, c, first, width, repeat }, i): Case<'putColumns'> => ({
    op: 'putColumns',
    title: `${width} of ${c} from ${first} on, each row for ${repeat} of ${n}`,
    inputs: [floats([n / repeat, width], 2310 + i)],
    outputShape: [n, c],
    params: { first },
    before: floats([n, c], 2320 + i).bytes,
  }),
);

const meanCases = batches.map((batch, i): Case<'meanRows'> => {
  const cols = [1, 37, 64, 3][i]!;
  return {
    op: 'meanRows',
    title: `${batch.title}, ${cols} columns`,
    inputs: [floats([batch.seq.length, cols], 2330 + i), integers([batch.seq.length], batch.seq)],
    outputShape: [batch.slots.length, cols],
    params: {},
  };
});

export const sequenceCases: Case[] = [
  ...convCases,
  ...deltaCases,
  ...scanCases,
  ...columnsCases,
  ...putColumnsCases,
  ...meanCases,
];
