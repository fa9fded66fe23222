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
  valueDim?: number;
  /** The values are the beginning of the keys, in one cache. */
  valuesInKeys?: true;
  chunk?: number;
  softCap?: number;
  causal?: false;
  sinks?: true;
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
  // Keys and values of different sizes, apart and in one cache (latent attention), few tokens and many.
  { heads: 4, kvHeads: 2, headDim: 192, valueDim: 128, blockTokens: 16, ends: [70, 20], tokens: 5 },
  { heads: 4, kvHeads: 2, headDim: 24, valueDim: 16, blockTokens: 16, ends: [600], tokens: 2, sinks: true },
  { heads: 2, kvHeads: 1, headDim: 32, valueDim: 64, blockTokens: 16, ends: [40], tokens: 9 },
  { heads: 5, kvHeads: 1, headDim: 576, valueDim: 512, valuesInKeys: true, blockTokens: 16, ends: [35, 9], tokens: 6 },
  { heads: 4, kvHeads: 2, headDim: 96, valueDim: 64, valuesInKeys: true, blockTokens: 8, ends: [1030], tokens: 1 },
  // Sinks, caps and chunks; long texts divided into spans.
  { heads: 8, kvHeads: 2, headDim: 32, blockTokens: 16, ends: [140, 3], tokens: 4, sinks: true, window: 50 },
  { heads: 8, kvHeads: 2, headDim: 64, blockTokens: 16, ends: [900], tokens: 1, sinks: true, softCap: 5 },
  { heads: 4, kvHeads: 2, headDim: 32, blockTokens: 16, ends: [90], tokens: 40, softCap: 0.5 },
  { heads: 4, kvHeads: 1, headDim: 32, blockTokens: 16, ends: [100, 64, 63], tokens: 9, chunk: 32 },
  { heads: 4, kvHeads: 1, headDim: 32, blockTokens: 16, ends: [70], tokens: 70, chunk: 48, window: 20 },
  // Both ways: whole texts, windows to either side, several texts of a batch; in chunks.
  { heads: 4, kvHeads: 4, headDim: 32, blockTokens: 16, ends: [40, 1], tokens: 2, causal: false },
  { heads: 4, kvHeads: 2, headDim: 32, blockTokens: 16, ends: [39, 39, 39], tokens: 40, causal: false },
  { heads: 4, kvHeads: 2, headDim: 64, blockTokens: 16, ends: [69], tokens: 70, causal: false, window: 9 },
  { heads: 2, kvHeads: 1, headDim: 16, blockTokens: 16, ends: [1099], tokens: 1100, causal: false, window: 300 },
  { heads: 2, kvHeads: 1, headDim: 32, blockTokens: 16, ends: [50], tokens: 51, causal: false, chunk: 20 },
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
  [
    l.window && `, window ${l.window}`,
    l.valueDim && `, values of ${l.valueDim}${l.valuesInKeys ? ' in the keys' : ''}`,
    l.sinks && ', sinks',
    l.softCap && `, cap ${l.softCap}`,
    l.chunk && `, chunks of ${l.chunk}`,
    l.causal === false && ', both ways',
  ]
    .filter(Boolean)
    .join('');

/** Every type of keys, each with values of the same type and of another. */
const typePairs = cacheTypes.flatMap((k, i) => [
  [k, k] as const,
  [k, cacheTypes[(i + 1 + (i % 2)) % cacheTypes.length]!] as const,
]);

const holds = (type: string, { headDim, valueDim = headDim }: Layout) =>
  [headDim, valueDim].every((size) => size % dtypeByName(type).blockSize === 0);

export const attentionCases: Case[] = layouts.flatMap((layout, i) =>
  typePairs
    .filter(([k, v]) => holds(k, layout) && holds(v, layout) && (!layout.valuesInKeys || k === v))
    .map(([k, v], j): Case<'attention'> => {
      const { heads, kvHeads, headDim, valueDim = headDim, valuesInKeys, sinks } = layout;
      const { blockTokens, window, chunk, softCap, causal } = layout;
      const { cells, count, operands } = paging(layout, i);
      const cache = (type: string, size: number, seed: number) => weights(type, [cells, kvHeads * size], seed, 1);
      const seed = 100 * i + 3 * j;
      const keys = cache(k, headDim, seed + 1);
      const values = valuesInKeys ? keys : cache(v, valueDim, seed + 2);
      return {
        op: 'attention',
        title: `${k} and ${v}, ${describeLayout(layout)}`,
        inputs: [
          ...[floats([count, heads * headDim], seed, 2), keys, values, ...operands],
          ...(sinks ? [floats([heads], seed + 3, 3)] : []),
        ],
        outputShape: [count, heads * valueDim],
        params: {
          ...{ heads, kvHeads, headDim, scale: 1 / Math.sqrt(headDim), blockTokens, window },
          ...(layout.valueDim && { valueDim }),
          ...(chunk && { chunk }),
          ...(softCap && { softCap }),
          ...(causal === false && { causal }),
        },
      };
    }),
);

/** Keys as they come, and large and small ones: blocks of zeros, subnormal scales, numbers that F16 does not hold. */
const spreads = [1, 1e-7, 3e4];

export const kvWriteCases: Case[] = layouts.flatMap((layout, i) =>
  cacheTypes
    .filter((type) => (layout.kvHeads * layout.headDim) % dtypeByName(type).blockSize === 0)
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
