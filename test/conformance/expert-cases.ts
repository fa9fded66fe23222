// The ops of a mixture of experts: routers with ties and NaN, experts with no, few and many tokens, every kind of weight.
import type { OpParams } from '@quern/runtime';
import { type Case, floats, integers, weights } from './case.ts';
import { randomSource } from './random.ts';

interface Mixture {
  tokens: number;
  experts: number;
  used: number;
}

const mixtures: Mixture[] = [
  { tokens: 1, experts: 1, used: 1 },
  { tokens: 1, experts: 8, used: 2 },
  { tokens: 5, experts: 5, used: 5 },
  { tokens: 33, experts: 60, used: 4 },
  { tokens: 7, experts: 128, used: 8 },
];
const describeMixture = ({ tokens, experts, used }: Mixture) => `${tokens} tokens, ${used} of ${experts} experts`;

/** Different experts for each token, as a router gives them. */
function choose({ tokens, experts, used }: Mixture, seed: number): number[] {
  const random = randomSource(seed);
  return Array.from({ length: tokens }, () =>
    Array.from({ length: experts }, (_, expert) => ({ expert, key: random() }))
      .sort((a, b) => a.key - b.key)
      .slice(0, used)
      .map(({ expert }) => expert),
  ).flat();
}

const rows = (values: number[][]) => ({
  dtype: 'F32',
  shape: [values.length, values[0]!.length],
  bytes: new Uint8Array(Float32Array.from(values.flat()).buffer),
});
const strangeLogits = rows([
  [1, 2, 2, 1, 2, 0],
  [0, -0, 0, -0, 0, -0],
  [1, Number.NaN, 5, Number.NaN, 2, 9],
  [-Infinity, -Infinity, -1e30, -Infinity, -Infinity, -Infinity],
  [1e30, Infinity, 3, 1e30, -1e30, 0],
]);
const strange = { tokens: 5, experts: 6, used: 4 };

const routerCases = [
  ...mixtures.map((mixture, i) => ({
    title: describeMixture(mixture),
    mixture,
    logits: floats([mixture.tokens, mixture.experts], 900 + i, 3),
    chosen: choose(mixture, 910 + i),
  })),
  { title: 'ties, NaN and infinities', mixture: strange, logits: strangeLogits, chosen: choose(strange, 920) },
];

const routeCases = routerCases.map(
  ({ title, mixture: { tokens, used }, logits }): Case<'route'> => ({
    op: 'route',
    title,
    inputs: [logits],
    outputShape: [tokens, used],
    params: { used },
  }),
);

const routeWeightsCases = routerCases.flatMap(({ title, mixture: { tokens, used }, logits, chosen }) =>
  (['all', 'chosen'] as const).map(
    (over): Case<'routeWeights'> => ({
      op: 'routeWeights',
      title: `${title}, over ${over}`,
      inputs: [logits, integers([tokens, used], chosen)],
      outputShape: [tokens, used],
      params: { over },
    }),
  ),
);

/** Routers as the models have them, with and without bias and groups. */
const routers: { title: string; params: OpParams['route']; biased: boolean; tokens: number; experts: number }[] = [
  {
    title: 'DeepSeek V3',
    params: { used: 6, score: 'sigmoid', groups: 8, groupsUsed: 4 },
    biased: true,
    tokens: 9,
    experts: 64,
  },
  {
    title: 'DeepSeek V2',
    params: { used: 6, score: 'softmax', groups: 8, groupsUsed: 3, groupBy: 'one' },
    biased: false,
    tokens: 9,
    experts: 160,
  },
  { title: 'DeepSeek V4', params: { used: 6, score: 'sqrt_softplus' }, biased: true, tokens: 9, experts: 60 },
  { title: 'ERNIE', params: { used: 4, score: 'softmax' }, biased: true, tokens: 5, experts: 37 },
  { title: 'Llama 4', params: { used: 1, score: 'sigmoid' }, biased: false, tokens: 5, experts: 16 },
  { title: 'biased logits', params: { used: 2 }, biased: true, tokens: 3, experts: 7 },
  { title: 'groups of one', params: { used: 2, groups: 4, groupsUsed: 3 }, biased: false, tokens: 3, experts: 4 },
];
const scoredRouteCases = routers.map(
  ({ title, params, biased, tokens, experts }, i): Case<'route'> => ({
    op: 'route',
    title: `${title}, ${describeMixture({ tokens, experts, used: params.used })}`,
    inputs: [floats([tokens, experts], 1100 + i, 3), ...(biased ? [floats([experts], 1110 + i, 0.3)] : [])],
    outputShape: [tokens, params.used],
    params,
  }),
);

const weighings: { params: OpParams['routeWeights']; byExpert?: true }[] = [
  { params: { over: 'chosen', score: 'sigmoid', scale: 2.5 } },
  { params: { over: 'all', score: 'sigmoid' } },
  { params: { over: 'chosen', score: 'sqrt_softplus', scale: 1.5 } },
  { params: { over: 'all', score: 'softmax', scale: 16 } },
  { params: { over: 'chosen' }, byExpert: true },
];
const scoredWeightsCases = weighings.flatMap(({ params, byExpert }, i) =>
  mixtures.map((mixture, j): Case<'routeWeights'> => {
    const { tokens, experts, used } = mixture;
    return {
      op: 'routeWeights',
      title: `${describeMixture(mixture)}, ${Object.values(params).join(' ')}${byExpert ? ', scaled by expert' : ''}`,
      inputs: [
        floats([tokens, experts], 1120 + j, 3),
        integers([tokens, used], choose(mixture, 1130 + i)),
        ...(byExpert ? [floats([experts], 1140 + j)] : []),
      ],
      outputShape: [tokens, used],
      params,
    };
  }),
);

const pickCases = mixtures.map((mixture, i): Case<'pickExperts'> => {
  const { tokens, experts, used } = mixture;
  const table = choose({ ...mixture, tokens: 50 }, 1150 + i);
  const words = Array.from({ length: tokens }, (_, t) => (t * 31) % 50);
  return {
    op: 'pickExperts',
    title: describeMixture(mixture),
    inputs: [integers([50, used], table), integers([tokens], words)],
    outputShape: [tokens, used],
    params: { experts },
  };
});

const biasCases = mixtures.map((mixture, i): Case<'addExpertBias'> => {
  const { tokens, experts, used } = mixture;
  const cols = [1, 4, 37, 64, 1023][i]!;
  return {
    op: 'addExpertBias',
    title: `${cols} columns, ${describeMixture(mixture)}`,
    inputs: [
      floats([tokens * used, cols], 1160 + i),
      floats([experts, cols], 1170 + i),
      integers([tokens, used], choose(mixture, 1180 + i)),
    ],
    outputShape: [tokens * used, cols],
    params: {},
  };
});

interface Product extends Mixture {
  dtype: string;
  cols: number;
  rows: number;
  /** Every slot names this one. */
  only?: number;
}

const products: Product[] = [
  ...['F32', 'F16', 'BF16', 'Q4_0', 'Q5_0', 'Q5_1', 'Q8_0'].map((dtype) => ({
    dtype,
    cols: 96,
    rows: 13,
    tokens: 9,
    experts: 4,
    used: 2,
  })),
  ...['Q4_K', 'Q5_K', 'Q6_K'].map((dtype) => ({ dtype, cols: 768, rows: 16, tokens: 21, experts: 3, used: 2 })),
  ...mixtures.map((mixture) => ({ ...mixture, dtype: 'F32', cols: 37, rows: 21 })),
  { dtype: 'F32', cols: 515, rows: 5, tokens: 40, experts: 2, used: 1 },
  { dtype: 'Q8_0', cols: 96, rows: 70, tokens: 50, experts: 3, used: 2 }, // tiles of slots, the last of each not full
  { dtype: 'Q8_0', cols: 544, rows: 24, tokens: 2, experts: 16, used: 3 },
  { dtype: 'F16', cols: 8, rows: 9, tokens: 1100, experts: 3, used: 2, only: 1 }, // more than one list of tokens
];

const matmulExpertsCases = products.flatMap((product, i) => {
  const { dtype, cols, rows: R, tokens, experts, used, only } = product;
  const ids = only === undefined ? choose(product, 930 + i) : new Array(tokens * used).fill(only);
  return [tokens, ...(used > 1 ? [tokens * used] : [])].map(
    (n, j): Case<'matmulExperts'> => ({
      op: 'matmulExperts',
      title: `${dtype} ${n}×${cols} · ${R} rows, ${describeMixture(product)}`,
      inputs: [
        floats([n, cols], 950 + 3 * i + j),
        weights(dtype, [experts, R, cols], 951 + 3 * i),
        integers([tokens, used], ids),
      ],
      outputShape: [tokens * used, R],
      params: {},
      typicalSquare: cols * 0.1 ** 2,
    }),
  );
});

const combineCases = mixtures.map(({ tokens, used }, i): Case<'combineExperts'> => {
  const cols = [1, 4, 37, 64, 1023][i]!;
  return {
    op: 'combineExperts',
    title: `${tokens}×${cols}, ${used} experts`,
    inputs: [floats([tokens, used], 1000 + i), floats([tokens * used, cols], 1010 + i)],
    outputShape: [tokens, cols],
    params: {},
    typicalSquare: used,
  };
});

const sumSquaresCases = mixtures.flatMap((mixture, i) => {
  const { tokens, experts, used } = mixture;
  const cols = [1, 4, 37, 64, 1023][i]!;
  return [tokens, ...(used > 1 ? [tokens * used] : [])].map(
    (n, j): Case<'sumSquaresExperts'> => ({
      op: 'sumSquaresExperts',
      title: `${n}×${cols}, ${describeMixture(mixture)}`,
      inputs: [floats([n, cols], 1040 + 2 * i + j), integers([tokens, used], choose(mixture, 1050 + i))],
      outputShape: [experts, cols],
      params: {},
      before: floats([experts, cols], 1060 + i).bytes,
    }),
  );
});

export const expertCases: Case[] = [
  ...routeCases,
  ...scoredRouteCases,
  ...routeWeightsCases,
  ...scoredWeightsCases,
  ...pickCases,
  ...biasCases,
  ...matmulExpertsCases,
  ...combineCases,
  ...sumSquaresCases,
];
