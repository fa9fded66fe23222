// attention and kvWrite over a paged cache whose blocks are scattered, with several sequences, GQA and windows, for every
// type of cache.
import { dtypeByName } from '@quern/blocks';
import { cacheTypes } from '@quern/runtime';
import { type Case, floats, integers, weights } from './case.ts';
import { randomSource } from './random.ts';

interface Layout {
  heads: number;
  kvHeads: number;
  headDim: number;
  blockTokens: number;
  /** Last position of each sequence; the last `tokens` positions of each are in the batch. */
  ends: number[];
  tokens: number;
  window?: number;
}

const layouts: Layout[] = [
  ...[16, 20, 64, 80, 96, 128].map((headDim) => ({
    heads: 2,
    kvHeads: 1,
    headDim,
    blockTokens: 16,
    ends: [70],
    tokens: 3,
  })),
  ...[1, 2, 4].flatMap((group) =>
    [1, 16, 32].map((blockTokens) => ({
      heads: 4,
      kvHeads: 4 / group,
      headDim: 32,
      blockTokens,
      ends: [5, 130, 64],
      tokens: 2,
    })),
  ),
  ...[1, 4, 63, 64, 65, 1000].map((window) => ({
    heads: 2,
    kvHeads: 2,
    headDim: 16,
    blockTokens: 16,
    ends: [140, 66],
    tokens: 7,
    window,
  })),
  { heads: 8, kvHeads: 2, headDim: 64, blockTokens: 32, ends: [129], tokens: 130 },
  { heads: 1, kvHeads: 1, headDim: 4, blockTokens: 1, ends: [0], tokens: 1 },
  { heads: 8, kvHeads: 2, headDim: 32, blockTokens: 16, ends: [1000, 3, 64], tokens: 1 },
  { heads: 4, kvHeads: 4, headDim: 64, blockTokens: 32, ends: [700], tokens: 1, window: 333 },
  // On the CPU: spans of 512 positions, shared by threads and not; more heads than are handled together; large heads.
  { heads: 4, kvHeads: 2, headDim: 32, blockTokens: 32, ends: [1535, 512, 511], tokens: 2 },
  { heads: 32, kvHeads: 1, headDim: 32, blockTokens: 16, ends: [1100], tokens: 66, window: 600 },
  { heads: 3, kvHeads: 1, headDim: 256, blockTokens: 32, ends: [600], tokens: 9 },
  { heads: 2, kvHeads: 1, headDim: 1024, blockTokens: 4, ends: [9], tokens: 3 },
];

/** Block table, seq and pos of a layout; blocks are dealt in random order and unused entries hold −1. */
function paging({ blockTokens, ends, tokens }: Layout, seed: number) {
  const random = randomSource(seed);
  const maxBlocks = Math.max(...ends.map((end) => Math.floor(end / blockTokens) + 1)) + 1;
  const needed = ends.map((end) => Math.floor(end / blockTokens) + 1);
  const blocks = needed.reduce((a, b) => a + b);
  const order = Array.from({ length: blocks }, (_, block) => ({ block, key: random() })).sort((a, b) => a.key - b.key);
  const table = needed.flatMap((count) =>
    Array.from({ length: maxBlocks }, (_, i) => (i < count ? order.pop()!.block : -1)),
  );
  const batch = ends.flatMap((end, seq) =>
    Array.from({ length: tokens }, (_, i) => ({ seq, pos: end - tokens + 1 + i })),
  );
  return {
    cells: blocks * blockTokens,
    count: batch.length,
    operands: [
      integers([ends.length, maxBlocks], table),
      integers(
        [batch.length],
        batch.map(({ seq }) => seq),
      ),
      integers(
        [batch.length],
        batch.map(({ pos }) => pos),
      ),
    ],
  };
}

const describeLayout = (l: Layout) =>
  `${l.heads}/${l.kvHeads} heads of ${l.headDim}, blocks of ${l.blockTokens}, up to ${l.ends.join('/')}, ${l.tokens} tokens` +
  (l.window ? `, window ${l.window}` : '');

/** Every type of keys, each with values of the same type and of another. */
const typePairs = cacheTypes.flatMap((k, i) => [
  [k, k] as const,
  [k, cacheTypes[(i + 1 + (i % 2)) % cacheTypes.length]!] as const,
]);

const holds = (type: string, { headDim }: Layout) => headDim % dtypeByName(type).blockSize === 0;

export const attentionCases: Case[] = layouts.flatMap((layout, i) =>
  typePairs
    .filter((pair) => pair.every((type) => holds(type, layout)))
    .map(([k, v], j): Case<'attention'> => {
      const { heads, kvHeads, headDim, blockTokens, window } = layout;
      const { cells, count, operands } = paging(layout, i);
      const cache = (type: string, seed: number) => weights(type, [cells, kvHeads * headDim], seed, 1);
      const seed = 100 * i + 3 * j;
      return {
        op: 'attention',
        title: `${k} and ${v}, ${describeLayout(layout)}`,
        inputs: [floats([count, heads * headDim], seed, 2), cache(k, seed + 1), cache(v, seed + 2), ...operands],
        outputShape: [count, heads * headDim],
        params: { heads, kvHeads, headDim, scale: 1 / Math.sqrt(headDim), blockTokens, window },
      };
    }),
);

/** Keys as they come, and large and small ones: blocks of zeros, subnormal scales, numbers that F16 does not hold. */
const spreads = [1, 1e-7, 3e4];

export const kvWriteCases: Case[] = layouts.flatMap((layout, i) =>
  cacheTypes
    .filter((type) => holds(type, { ...layout, headDim: layout.kvHeads * layout.headDim }))
    .map((type, j): Case<'kvWrite'> => {
      const { cells, count, operands } = paging(layout, i);
      const kvDim = layout.kvHeads * layout.headDim;
      return {
        op: 'kvWrite',
        title: `${type}, ${describeLayout(layout)}`,
        inputs: [floats([count, kvDim], 20 * i + j, spreads[i % spreads.length]), ...operands],
        outputShape: [cells, kvDim],
        outputType: type,
        params: { blockTokens: layout.blockTokens },
        before: weights(type, [cells, kvDim], 7 * i + j).bytes,
      };
    }),
);
