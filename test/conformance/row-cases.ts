// Ops over rows and elements: sizes around the vector width of four, values around the limits of e^x.
import { type Case, type CaseOperand, floats, integers } from './case.ts';

const bytesOf = (values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
const sizes: [number, number][] = [
  [1, 1],
  [2, 3],
  [1, 4],
  [3, 37],
  [33, 1023],
  [77, 4096],
];
const everySize = <T extends Case>(make: (n: number, c: number, seed: number) => T): T[] =>
  sizes.map(([n, c], i) => make(n, c, 100 + i));

const normCases = everySize(
  (n, c, seed): Case<'rmsNorm'> => ({
    op: 'rmsNorm',
    title: `${n}×${c}`,
    inputs: [floats([n, c], seed, 3), floats([c], seed + 1)],
    outputShape: [n, c],
    params: { eps: 1e-5 },
  }),
);

const bareNormCases = everySize(
  (n, c, seed): Case<'rmsNorm'> => ({
    op: 'rmsNorm',
    title: `${n}×${c} without weights`,
    inputs: [floats([n, c], seed, 3)],
    outputShape: [n, c],
    params: { eps: 1e-6 },
  }),
);
const groupedNormCases = [
  { n: 3, c: 12, groups: 4 },
  { n: 2, c: 35, groups: 7 },
  { n: 5, c: 4096, groups: 8 },
].flatMap(({ n, c, groups }, i) =>
  [true, false].map(
    (weighted): Case<'rmsNorm'> => ({
      op: 'rmsNorm',
      title: `${n}×${c} in ${groups} groups, ${weighted ? 'weighted' : 'bare'}`,
      inputs: [floats([n, c], 120 + i, 3), ...(weighted ? [floats([c], 130 + i)] : [])],
      outputShape: [n, c],
      params: { eps: 1e-5, groups },
    }),
  ),
);

const layerNormCases = [0, 1, 2].flatMap((optional) =>
  everySize(
    (n, c, seed): Case<'layerNorm'> => ({
      op: 'layerNorm',
      title: `${n}×${c}, ${['bare', 'weights', 'weights and bias'][optional]}`,
      inputs: [floats([n, c], seed, 3), ...[floats([c], seed + 1), floats([c], seed + 2)].slice(0, optional)],
      outputShape: [n, c],
      params: { eps: 1e-5 },
    }),
  ),
);

const multiplyCases = sizes.flatMap(([n, c], i) =>
  [
    [n, c],
    [1, c],
    [n, 1],
    [1, 1],
  ].map(
    (by): Case<'multiply'> => ({
      op: 'multiply',
      title: `${n}×${c} by ${by.join('×')}`,
      inputs: [floats([n, c], 140 + i), floats(by, 150 + i)],
      outputShape: [n, c],
      params: {},
    }),
  ),
);

const addCases = everySize(
  (n, c, seed): Case<'add'> => ({
    op: 'add',
    title: `${n}×${c}`,
    inputs: [floats([n, c], seed), floats([n, c], seed + 1)],
    outputShape: [n, c],
    params: {},
  }),
);

const scaleCases = everySize(
  (n, c, seed): Case<'scale'> => ({
    op: 'scale',
    title: `${n}×${c}`,
    inputs: [floats([n, c], seed)],
    outputShape: [n, c],
    params: { factor: 0.1 },
  }),
);

const softmaxCases = everySize(
  (n, c, seed): Case<'softmax'> => ({
    op: 'softmax',
    title: `${n}×${c}`,
    inputs: [floats([n, c], seed, 20)],
    outputShape: [n, c],
    params: {},
  }),
);

const rowLimits = [
  [Number.NaN, 1, 2, 3, 4],
  [-Infinity, 0, -1e30, 1, -Infinity],
  [1e30, 0, -1e30, 1e30, -200],
  [88, -88, 0, 87.4, -87.4],
];
const rowOperand = {
  dtype: 'F32',
  shape: [rowLimits.length, rowLimits[0]!.length],
  bytes: bytesOf(rowLimits.flat()),
};
const softmaxLimits: Case<'softmax'> = {
  op: 'softmax',
  title: 'NaN, infinities and the limits of e^x',
  inputs: [rowOperand],
  outputShape: rowOperand.shape,
  params: {},
};
const logProbLimits: Case<'logProb'> = {
  op: 'logProb',
  title: 'NaN, infinities and the limits of e^x',
  inputs: [rowOperand, integers([4], [1, 3, 0, 4])],
  outputShape: [4],
  params: {},
};

const logProbCases = everySize(
  (n, c, seed): Case<'logProb'> => ({
    op: 'logProb',
    title: `${n}×${c}`,
    inputs: [
      floats([n, c], seed, 20),
      integers(
        [n],
        Array.from({ length: n }, (_, i) => (i * 31) % c),
      ),
    ],
    outputShape: [n],
    params: {},
  }),
);

const logSumExpCases = everySize(
  (n, c, seed): Case<'logSumExp'> => ({
    op: 'logSumExp',
    title: `${n}×${c}`,
    inputs: [floats([n, c], seed, 20)],
    outputShape: [n],
    params: {},
  }),
);
const logSumExpLimits: Case<'logSumExp'> = {
  op: 'logSumExp',
  title: 'NaN, infinities and the limits of e^x',
  inputs: [rowOperand],
  outputShape: [4],
  params: {},
};

const topKOf = (title: string, x: CaseOperand, count: number): Case<'topK'> => ({
  op: 'topK',
  title: `${count} of ${title}`,
  inputs: [x],
  outputShape: [x.shape[0]!, 2 * count + 1],
  params: { count },
});
/** Numbers that are equal to many others, and rows that rise, so that each is larger than all before. */
const rows = (width: number, make: readonly ((c: number) => number)[]): CaseOperand => ({
  dtype: 'F32',
  shape: [make.length, width],
  bytes: bytesOf(make.flatMap((value) => Array.from({ length: width }, (_, c) => value(c)))),
});
const strangeRows = (width: number): CaseOperand =>
  rows(width, [
    (c) => (c * 7) % 5,
    (c) => c,
    (c) => -c,
    (c) => (c % 2 ? 0 : -0),
    (c) => [Number.NaN, Infinity, -Infinity, 1, -1e30][c % 5]!,
    () => Number.NaN,
    () => -Infinity,
    (c) => (c === width - 1 ? 1 : Number.NaN),
    (c) => (c < 3 ? Number.NaN : 1e-40 * (c % 9)),
  ]);
const topKCases = [
  ...sizes.flatMap(([n, c], i) =>
    [...new Set([1, Math.min(100, Math.ceil(c / 2)), Math.min(c, 100)])].map((count) =>
      topKOf(`${n}×${c}`, floats([n, c], 160 + i, 9), count),
    ),
  ),
  ...[1, 5, 40, 99].map((count) => topKOf('ties, order, NaN and infinities, 99 wide', strangeRows(99), count)),
  ...[3, 64, 257].map((count) => topKOf('the same, 1500 wide', strangeRows(1500), count)),
  topKOf('a vocabulary', floats([1, 20_021], 170, 4), 20),
];

const sumSquaresCases = everySize(
  (n, c, seed): Case<'sumSquares'> => ({
    op: 'sumSquares',
    title: `${n}×${c}`,
    inputs: [floats([n, c], seed, 3)],
    outputShape: [c],
    params: {},
    before: floats([c], seed + 1).bytes,
  }),
);

const gatherCases = everySize(
  (n, c, seed): Case<'gatherRows'> => ({
    op: 'gatherRows',
    title: `5 of ${n}×${c}`,
    inputs: [floats([n, c], seed), integers([5], [0, n - 1, 0, n >> 1, n - 1])],
    outputShape: [5, c],
    params: {},
  }),
);

const ropeCases = (['norm', 'neox'] as const).flatMap((style) =>
  [
    { T: 1, heads: 1, headDim: 2, rotaryDim: 2 },
    { T: 3, heads: 2, headDim: 12, rotaryDim: 6 },
    { T: 7, heads: 3, headDim: 64, rotaryDim: 64 },
    { T: 33, heads: 9, headDim: 80, rotaryDim: 20 },
    { T: 200, heads: 4, headDim: 128, rotaryDim: 128 },
  ].map(
    ({ T, heads, headDim, rotaryDim }): Case<'rope'> => ({
      op: 'rope',
      title: `${style} ${T}×${heads}×${headDim}, ${rotaryDim} rotated`,
      inputs: [floats([T, heads * headDim], T), floats([T, rotaryDim / 2], T + 1), floats([T, rotaryDim / 2], T + 2)],
      outputShape: [T, heads * headDim],
      params: { heads, headDim, rotaryDim, style },
    }),
  ),
);

export const rowCases: Case[] = [
  ...normCases,
  ...bareNormCases,
  ...groupedNormCases,
  ...layerNormCases,
  ...multiplyCases,
  ...addCases,
  ...scaleCases,
  ...softmaxCases,
  softmaxLimits,
  logProbLimits,
  ...logProbCases,
  ...logSumExpCases,
  logSumExpLimits,
  ...topKCases,
  ...sumSquaresCases,
  ...gatherCases,
  ...ropeCases,
];
