// The words of attention's kernels, and which positions a token looks at (visible.ts says the same).
//
// q, kCache, vCache, blockTable, seq, pos, sinks or 0, y, T, heads, kvHeads, headDim, valueDim, valueStride (numbers from
// one head's values to the next one's), maxBlocks, blockTokens, window, chunk, causal, scale (f32), softCap (f32, 0 for none),
// type, blockSize and typeSize of the keys, the same of the values, tokensPerItem, spans, partials.

@inline export function queriesOf(args: usize): usize { return load<u32>(args); }
/** The words of keys and those of values: where the cache is, numbers of a head and to the next one, stored type. */
export const KEYS: usize = 4;
export const VALUES: usize = 8;
@inline export function headSize(args: usize, which: usize): usize { return which == KEYS ? headDimOf(args) : valueDimOf(args); }
@inline export function headStride(args: usize, which: usize): usize { return which == KEYS ? headDimOf(args) : load<u32>(args, 52); }
@inline export function storedAs(args: usize, which: usize): usize { return args + (which == KEYS ? 84 : 96); }

@inline export function tableOf(args: usize): usize { return load<u32>(args, 12); }
@inline export function sequenceOf(args: usize, token: usize): usize { return load<u32>(<usize>load<u32>(args, 16) + token * 4); }
@inline export function positionOf(args: usize, token: usize): usize { return load<u32>(<usize>load<u32>(args, 20) + token * 4); }
@inline export function sinksOf(args: usize): usize { return load<u32>(args, 24); }
@inline export function outputsOf(args: usize): usize { return load<u32>(args, 28); }
@inline export function tokensOf(args: usize): usize { return load<u32>(args, 32); }
@inline export function headsOf(args: usize): usize { return load<u32>(args, 36); }
@inline export function kvHeadsOf(args: usize): usize { return load<u32>(args, 40); }
@inline export function headDimOf(args: usize): usize { return load<u32>(args, 44); }
@inline export function valueDimOf(args: usize): usize { return load<u32>(args, 48); }
@inline export function maxBlocksOf(args: usize): usize { return load<u32>(args, 56); }
@inline export function blockTokensOf(args: usize): usize { return load<u32>(args, 60); }
@inline export function scaleOf(args: usize): f32 { return load<f32>(args, 76); }
@inline export function softCapOf(args: usize): f32 { return load<f32>(args, 80); }
@inline export function tokensPerItemOf(args: usize): usize { return load<u32>(args, 108); }
@inline export function spansOf(args: usize): usize { return load<u32>(args, 112); }
@inline export function partialsOf(args: usize): usize { return load<u32>(args, 116); }

@inline
export function firstPosition(args: usize, token: usize): usize {
  const own = positionOf(args, token);
  const window: usize = load<u32>(args, 64), chunk: usize = load<u32>(args, 68);
  return max(own >= window ? own - window + 1 : 0, own - (own % chunk));
}

@inline
export function lastPosition(args: usize, token: usize): usize {
  return load<u32>(args, 72) ? positionOf(args, token) : lastAhead(args, token);
}

/** The largest position of the token's sequence, unless its window or its chunk ends before. */
function lastAhead(args: usize, token: usize): usize {
  const own = positionOf(args, token), sequence = sequenceOf(args, token);
  let last = own;
  for (let t: usize = 0; t < tokensOf(args); t++)
    if (sequenceOf(args, t) == sequence) last = max(last, positionOf(args, t));
  const window: usize = load<u32>(args, 64), chunk: usize = load<u32>(args, 68);
  return own + min(last - own, min(window - 1, chunk - 1 - (own % chunk)));
}
