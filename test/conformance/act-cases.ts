// Activations, alone and as gates: every act at the limits of e^x and in sizes around the vector width of four.
import { type OpParams, ops } from '@quern/runtime';
import { type Case, floats } from './case.ts';

type Act = OpParams['act']['act'];
const acts = (ops.act.params.act as { of: readonly string[] }).of as readonly Act[];

const sizes: [number, number][] = [
  [1, 1],
  [2, 3],
  [1, 4],
  [3, 37],
  [33, 1023],
];

const limits = [Number.NaN, -1e30, -200, -100, -88, -87.4, -20, -5, -1e-20, 0, 1e-20, 0.3, 20, 87.4, 88.8, 100, 1e15];
const row = (values: readonly number[]) => ({
  dtype: 'F32',
  shape: [1, values.length],
  bytes: new Uint8Array(Float32Array.from(values).buffer),
});
const ones = row(limits.map(() => 1));

const actCases = acts.flatMap((act): Case<'act'>[] => [
  ...sizes.map(
    ([n, c], i): Case<'act'> => ({
      op: 'act',
      title: `${act} ${n}×${c}`,
      inputs: [floats([n, c], 200 + i, 4)],
      outputShape: [n, c],
      params: { act },
    }),
  ),
  {
    op: 'act',
    title: `${act} at the limits of e^x`,
    inputs: [row(limits)],
    outputShape: [1, limits.length],
    params: { act },
  },
  // Alone, so that the large numbers of the other case do not hide what is lost.
  { op: 'act', title: `${act} near 0`, inputs: [floats([3, 7], 210, 1e-4)], outputShape: [3, 7], params: { act } },
]);

const gatedCases = acts.flatMap((act): Case<'gatedAct'>[] => [
  ...sizes.map(
    ([n, c], i): Case<'gatedAct'> => ({
      op: 'gatedAct',
      title: `${act} ${n}×${c}`,
      inputs: [floats([n, c], 220 + i, 4), floats([n, c], 230 + i)],
      outputShape: [n, c],
      params: { act },
    }),
  ),
  {
    op: 'gatedAct',
    title: `${act} at the limits of e^x`,
    inputs: [row(limits), ones],
    outputShape: [1, limits.length],
    params: { act },
  },
]);

const clampings: Omit<OpParams['gatedAct'], 'act'>[] = [
  { limit: 7, alpha: 1.702, offset: 1 },
  { limit: 3 },
  { alpha: 0.5 },
  { offset: 1 },
];
const clampedCases = clampings.flatMap((clamping): Case<'gatedAct'>[] => {
  const title = Object.entries(clamping).map(([name, value]) => `${name} ${value}`);
  const params = { act: 'silu', ...clamping } as const;
  return [
    {
      op: 'gatedAct',
      title: `silu 5×37, ${title.join(', ')}`,
      inputs: [floats([5, 37], 240, 6), floats([5, 37], 241, 6)],
      outputShape: [5, 37],
      params,
    },
    {
      op: 'gatedAct',
      title: `silu at the limits of e^x, ${title.join(', ')}`,
      inputs: [row(limits), row([...limits].reverse())],
      outputShape: [1, limits.length],
      params,
    },
  ];
});

const xieluParams = { alphaP: 0.8, alphaN: 1.3, beta: 0.5, eps: -1e-6 };
const xieluCases: Case<'xielu'>[] = [floats([3, 37], 280, 3), floats([2, 1023], 281, 1e-4), row(limits)].map((x) => ({
  op: 'xielu',
  title: `${x.shape.join('×')}`,
  inputs: [x],
  outputShape: x.shape,
  params: xieluParams,
}));

const gateCases = (['sigmoid', 'silu', 'softplus'] as const).flatMap((act) =>
  [
    { n: 1, c: 1, gates: 1 },
    { n: 3, c: 37, gates: 37 },
    { n: 5, c: 96, gates: 6 },
    { n: 2, c: 15, gates: 5 },
    { n: 33, c: 1024, gates: 1 },
  ].map(
    ({ n, c, gates }, i): Case<'gate'> => ({
      op: 'gate',
      title: `${act} ${n}×${c}, ${gates} gates a row`,
      inputs: [floats([n, c], 250 + i), floats([n, gates], 260 + i, 4)],
      outputShape: [n, c],
      params: { act },
    }),
  ),
);

const gateLimits = [Number.NaN, -Infinity, -200, -88, 0, 88, 200, Infinity];
const gateLimitCase: Case<'gate'> = {
  op: 'gate',
  title: 'sigmoid at the limits of e^x',
  inputs: [row(gateLimits.flatMap(() => [1, -2])), row(gateLimits)].map((operand, i) => ({
    ...operand,
    shape: [gateLimits.length, 2 - i],
  })),
  outputShape: [gateLimits.length, 2],
  params: { act: 'sigmoid' },
};

const capCases = [0.5, 30].flatMap((cap): Case<'softCap'>[] => [
  ...sizes.map(
    ([n, c], i): Case<'softCap'> => ({
      op: 'softCap',
      title: `${n}×${c}, cap ${cap}`,
      inputs: [floats([n, c], 270 + i, cap)],
      outputShape: [n, c],
      params: { cap },
    }),
  ),
  {
    op: 'softCap',
    title: `at the limits of e^x, cap ${cap}`,
    inputs: [row(limits)],
    outputShape: [1, limits.length],
    params: { cap },
  },
]);

const hadamardCases = [
  [1, 4, 4],
  [3, 24, 8],
  [5, 64, 64],
  [2, 576, 64],
  [33, 256, 128],
  [1, 1024, 1024],
].map(
  ([n, c, size], i): Case<'hadamard'> => ({
    op: 'hadamard',
    title: `${n}×${c} by ${size}`,
    inputs: [floats([n!, c!], 280 + i, 1)],
    outputShape: [n!, c!],
    params: { size: size! },
  }),
);

export const actOpCases: Case[] = [
  ...actCases,
  ...gatedCases,
  ...clampedCases,
  ...xieluCases,
  ...gateCases,
  gateLimitCase,
  ...capCases,
  ...hadamardCases,
];
