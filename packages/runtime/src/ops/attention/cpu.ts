import { floatWord } from '../float-word.ts';
import type { CpuCall, CpuWork } from '../op.ts';

/** Window word for "no window". */
const WHOLE_CONTEXT = 0xffffffff;
/** As in queries.wasm.ts: queries handled together, and positions whose softmax is finished before the next ones. */
const MOST_QUERIES = 16;
const QUERY_FLOATS = 2048;
const SPAN = 512;
/** More items keep no more threads busy: tokens then share what is read of the cache. */
const ENOUGH_ITEMS = 64;
/** Floats of a query's partial result beside its sums of values. */
const PARTIAL_FLOATS = 4;

export const attentionCpu = (call: CpuCall<'attention'>): CpuWork | CpuWork[] => {
  const { dims, params, input, weight, y } = call;
  const { T, maxBlocks } = dims as { T: number; maxBlocks: number };
  const { heads, kvHeads, headDim, blockTokens, window = WHOLE_CONTEXT, scale } = params;
  const operands = ['q', 'kCache', 'vCache', 'blockTable', 'seq', 'pos'].map(input);
  const sizes = [heads, kvHeads, headDim, maxBlocks, blockTokens, Math.min(window, WHOLE_CONTEXT)];
  const words = [...operands, y, ...sizes, floatWord(scale), ...weight('kCache'), ...weight('vCache'), T];

  const { positions, spans } = extent(call.indices('pos'), window);
  const flops = 4 * headDim * (heads / kvHeads) * positions; // of one token and one head of keys
  if (spans > 1 && T * kvHeads < ENOUGH_ITEMS) {
    const partials = call.workspace(T * heads * spans * (headDim + PARTIAL_FLOATS) * 4);
    if (partials !== undefined)
      return [
        {
          kernel: 'attentionSpans',
          words: [...words, 1, spans, partials],
          items: T * kvHeads * spans,
          itemCost: flops / spans,
        },
        {
          kernel: 'attentionJoin',
          words: [...words, 1, spans, partials],
          items: T * heads,
          itemCost: 8 * headDim * spans,
        },
      ];
  }
  const together = Math.min(MOST_QUERIES, Math.floor(QUERY_FLOATS / headDim)) / (heads / kvHeads);
  const tokensPerItem = Math.max(1, Math.floor(Math.min(together, (T * kvHeads) / ENOUGH_ITEMS)));
  const items = Math.ceil(T / tokensPerItem) * kvHeads;
  return { words: [...words, tokensPerItem], items, itemCost: flops * tokensPerItem };
};

/** The most positions and spans that one token looks at. */
function extent(pos: Int32Array, window: number): { positions: number; spans: number } {
  let [positions, spans] = [0, 0];
  for (const last of pos) {
    const first = Math.max(0, last - window + 1);
    positions = Math.max(positions, last - first + 1);
    spans = Math.max(spans, Math.floor(last / SPAN) - Math.floor(first / SPAN) + 1);
  }
  return { positions, spans };
}
