import { floatWord } from '../float-word.ts';
import type { CpuCall, CpuWork } from '../op.ts';
import { type Positions, visiblePositions } from './visible.ts';

/** Word for "no window", "no chunk". */
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
  const { params, input, weight, y } = call;
  const { T, maxBlocks, valueDim, valueRow } = call.dims as Record<'T' | 'maxBlocks' | 'valueDim' | 'valueRow', number>;
  const { heads, kvHeads, headDim, blockTokens, scale, softCap = 0, causal = true } = params;
  const [window, chunk] = [params.window, params.chunk].map((n = WHOLE_CONTEXT) => Math.min(n, WHOLE_CONTEXT));
  const operands = ['q', 'kCache', 'vCache', 'blockTable', 'seq', 'pos', 'sinks'].map(input);
  const sizes = [T, heads, kvHeads, headDim, valueDim, valueRow / kvHeads, maxBlocks, blockTokens];
  const what = [window!, chunk!, causal ? 1 : 0, floatWord(scale), floatWord(softCap)];
  const words = [...operands, y, ...sizes, ...what, ...weight('kCache'), ...weight('vCache')];

  const { positions, spans } = extent(T, visiblePositions(params, call.indices('seq'), call.indices('pos')));
  const flops = 2 * (headDim + valueDim) * (heads / kvHeads) * positions; // of one token and one head of keys
  if (spans > 1 && T * kvHeads < ENOUGH_ITEMS) {
    const partials = call.workspace(T * heads * spans * (valueDim + PARTIAL_FLOATS) * 4);
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
          itemCost: 8 * valueDim * spans,
        },
      ];
  }
  const together = Math.min(MOST_QUERIES, Math.floor(QUERY_FLOATS / valueDim)) / (heads / kvHeads);
  const tokensPerItem = Math.max(1, Math.floor(Math.min(together, (T * kvHeads) / ENOUGH_ITEMS)));
  const items = Math.ceil(T / tokensPerItem) * kvHeads;
  return { words: [...words, tokensPerItem], items, itemCost: flops * tokensPerItem };
};

/** The most positions and spans that one token looks at. */
function extent(tokens: number, visible: (token: number) => Positions): { positions: number; spans: number } {
  let [positions, spans] = [0, 0];
  for (let t = 0; t < tokens; t++) {
    const { first, last } = visible(t);
    positions = Math.max(positions, last - first + 1);
    spans = Math.max(spans, Math.floor(last / SPAN) - Math.floor(first / SPAN) + 1);
  }
  return { positions, spans };
}
