// Softmax over spans of positions, each visited in tiles with a running maximum and sum (online softmax), so that scratch
// does not grow with the context. A tile is read and decoded once for all heads that share its keys and all tokens of an
// item. The spans of a query are joined in their order, by whoever computes them: a thread that takes one span after the
// other (attention), or one that joins what several threads left in memory (attentionSpans, then attentionJoin).
import { exp1 } from '../../wasm/exp.wasm';
import {
  CELLS, clearSoftmax, copySoftmax, firstOf, highOf, joinedSoftmax, largest, lastOf, lowOf, mostQueries, outputOf, queryAt,
  setQuery, setSoftmax, setTileRange, SOFTMAX_BYTES, SPAN, spanSoftmax, SUMS, tilePositions, total,
} from './queries.wasm';
import { accumulate, gather, multiply, score, weigh } from './tile.wasm';

// args: q, kCache, vCache, blockTable, seq, pos, y, heads, kvHeads, headDim, maxBlocks, blockTokens, window, scale (f32),
// type, blockSize and typeSize of the keys, the same of the values, T, tokensPerItem, spans, partials.
@inline function headsOf(args: usize): usize { return load<u32>(args, 28); }
@inline function kvHeadsOf(args: usize): usize { return load<u32>(args, 32); }
@inline function headDimOf(args: usize): usize { return load<u32>(args, 36); }
@inline function positionOf(args: usize, token: usize): usize { return load<u32>(<usize>load<u32>(args, 20) + token * 4); }
@inline function sequenceOf(args: usize, token: usize): usize { return load<u32>(<usize>load<u32>(args, 16) + token * 4); }
@inline
function firstPosition(args: usize, token: usize): usize {
  const last = positionOf(args, token);
  const window: usize = load<u32>(args, 48);
  return last >= window ? last - window + 1 : 0;
}

/** A partial result: Σ weight · value [headDim] and the softmax it belongs to. */
@inline
function partialAt(args: usize, row: usize, span: usize): usize {
  return <usize>load<u32>(args, 92) + (row * load<u32>(args, 88) + span) * (headDimOf(args) * 4 + SOFTMAX_BYTES);
}

/** An item is some tokens and a head of keys. */
export function attention(args: usize, begin: usize, end: usize, scratch: usize): void {
  const kvHeads = kvHeadsOf(args);
  const tokensPerItem: usize = load<u32>(args, 84);
  for (let item = begin; item < end; item++) {
    const kvHead = item % kvHeads;
    const endToken = min((item / kvHeads + 1) * tokensPerItem, <usize>load<u32>(args, 80));
    for (let token = (item / kvHeads) * tokensPerItem; token < endToken; ) {
      let next = token + 1; // of another sequence
      while (next < endToken && sequenceOf(args, next) == sequenceOf(args, token)) next++;
      attendTokens(args, token, next, kvHead, scratch);
      token = next;
    }
  }
}

/** An item is a token, a head of keys and a span. */
export function attentionSpans(args: usize, begin: usize, end: usize, scratch: usize): void {
  const kvHeads = kvHeadsOf(args);
  const spans: usize = load<u32>(args, 88);
  const group = headsOf(args) / kvHeads;
  const headBytes = headDimOf(args) * 4;
  const most = mostQueries(headDimOf(args));
  for (let item = begin; item < end; item++) {
    const span = item % spans;
    const kvHead = (item / spans) % kvHeads;
    const token = item / spans / kvHeads;
    const from = (firstPosition(args, token) / SPAN + span) * SPAN;
    if (from > positionOf(args, token)) continue;
    for (let head: usize = 0; head < group; head += most) {
      const queries = min(most, group - head);
      listQueries(args, token, kvHead, head, queries, scratch);
      attendSpan(args, token, kvHead, from, queries, scratch);
      for (let n: usize = 0; n < queries; n++) {
        const partial = partialAt(args, token * headsOf(args) + kvHead * group + head + n, span);
        memory.copy(partial, scratch + SUMS + n * headBytes, headBytes);
        copySoftmax(partial + headBytes, spanSoftmax(queryAt(scratch, n)));
      }
    }
  }
}

/** An item is a row of y. */
export function attentionJoin(args: usize, begin: usize, end: usize, scratch: usize): void {
  const headBytes = headDimOf(args) * 4;
  for (let item = begin; item < end; item++) {
    const token = item / headsOf(args);
    const count = positionOf(args, token) / SPAN - firstPosition(args, token) / SPAN + 1;
    const out = <usize>load<u32>(args, 24) + item * headBytes;
    for (let span: usize = 0; span < count; span++) {
      const partial = partialAt(args, item, span);
      join(span == 0, out, scratch, partial, partial + headBytes, headBytes);
    }
    multiply(out, headBytes, <f32>(1 / total(scratch)));
  }
}

/** Tokens `begin` … `end − 1` of one sequence and all heads that share `kvHead`. */
function attendTokens(args: usize, begin: usize, end: usize, kvHead: usize, scratch: usize): void {
  const headBytes = headDimOf(args) * 4;
  const most = mostQueries(headDimOf(args));
  const all = (end - begin) * (headsOf(args) / kvHeadsOf(args));
  for (let done: usize = 0; done < all; done += most) {
    const queries = min(most, all - done);
    listQueries(args, begin, kvHead, done, queries, scratch);
    let first: usize = usize.MAX_VALUE, last: usize = 0;
    for (let n: usize = 0; n < queries; n++) {
      first = min(first, firstOf(queryAt(scratch, n)));
      last = max(last, lastOf(queryAt(scratch, n)));
    }
    for (let from = first & ~(SPAN - 1); from <= last; from += SPAN) {
      attendSpan(args, begin, kvHead, from, queries, scratch);
      for (let n: usize = 0; n < queries; n++) {
        const query = queryAt(scratch, n);
        if (lastOf(query) < from || firstOf(query) >= from + SPAN) continue;
        const sums = scratch + SUMS + n * headBytes;
        join(firstOf(query) >= from, outputOf(query), joinedSoftmax(query), sums, spanSoftmax(query), headBytes);
      }
    }
    for (let n: usize = 0; n < queries; n++) {
      const query = queryAt(scratch, n);
      multiply(outputOf(query), headBytes, <f32>(1 / total(joinedSoftmax(query))));
    }
  }
}

/** Queries number `skip` … of those that token `begin` and the ones after it have for `kvHead`. */
function listQueries(args: usize, begin: usize, kvHead: usize, skip: usize, queries: usize, scratch: usize): void {
  const group = headsOf(args) / kvHeadsOf(args);
  const headBytes = headDimOf(args) * 4;
  for (let n: usize = 0; n < queries; n++) {
    const token = begin + (skip + n) / group;
    const row = (token * headsOf(args) + kvHead * group + ((skip + n) % group)) * headBytes;
    const first = firstPosition(args, token);
    setQuery(queryAt(scratch, n), <usize>load<u32>(args) + row, <usize>load<u32>(args, 24) + row, first, positionOf(args, token));
  }
}

/** Softmax and sums of every query over positions `from` … of one span; `token` says which sequence. */
function attendSpan(args: usize, token: usize, kvHead: usize, from: usize, queries: usize, scratch: usize): void {
  const headDim = headDimOf(args);
  const headBytes = headDim * 4;
  for (let n: usize = 0; n < queries; n++) clearSoftmax(spanSoftmax(queryAt(scratch, n)));
  memory.fill(scratch + SUMS, 0, queries * headBytes);
  const count = tilePositions(headDim);
  for (const end = from + SPAN; from < end; from += count) {
    let low = count, high: usize = 0;
    for (let n: usize = 0; n < queries; n++) {
      const query = queryAt(scratch, n);
      setTileRange(query, from, count);
      if (lowOf(query) == highOf(query)) continue;
      low = min(low, lowOf(query));
      high = max(high, highOf(query));
    }
    if (low >= high) continue;
    locate(args, token, from, low, high, scratch);
    gatherHead(args, 4, 56, kvHead, low, high, count, scratch);
    score(queries, low, high, headBytes, load<f32>(args, 52), scratch);
    for (let n: usize = 0; n < queries; n++) weigh(n, headBytes, scratch);
    gatherHead(args, 8, 68, kvHead, low, high, count, scratch);
    accumulate(queries, headBytes, scratch);
  }
}

/** Cells of positions `from + low` … `from + high − 1`. */
function locate(args: usize, token: usize, from: usize, low: usize, high: usize, scratch: usize): void {
  const blockTokens: usize = load<u32>(args, 44);
  const table = <usize>load<u32>(args, 12) + sequenceOf(args, token) * load<u32>(args, 40) * 4;
  for (let i = low; i < high; i++) {
    const position = from + i;
    const block: usize = load<u32>(table + (position / blockTokens) * 4);
    store<u32>(scratch + CELLS + i * 4, <u32>(block * blockTokens + (position % blockTokens)));
  }
}

/** The tile's rows of one head; the words at `cache` and `type` say of keys or of values. */
function gatherHead(
  args: usize, cache: usize, type: usize, kvHead: usize, low: usize, high: usize, count: usize, scratch: usize,
): void {
  const headBlocks = headDimOf(args) / <usize>load<u32>(args + type, 4);
  const headBytes = headBlocks * <usize>load<u32>(args + type, 8); // as stored
  const rows = <usize>load<u32>(args + cache) + kvHead * headBytes;
  gather(rows, kvHeadsOf(args) * headBytes, load<u32>(args + type), headBlocks, headDimOf(args) * 4, headBytes, low, high, count, scratch);
}

/** Adds the sums of a span to those of the spans before, both scaled to the larger of their largest scores. */
function join(isFirst: bool, out: usize, joined: usize, sums: usize, softmax: usize, headBytes: usize): void {
  if (isFirst) {
    memory.copy(out, sums, headBytes);
    copySoftmax(joined, softmax);
    return;
  }
  const now = max(largest(joined), largest(softmax));
  const before = exp1(largest(joined) - now), added = exp1(largest(softmax) - now);
  const a = f32x4.splat(before), b = f32x4.splat(added);
  for (let at: usize = 0; at < headBytes; at += 16)
    v128.store(out + at, f32x4.add(f32x4.mul(v128.load(out + at), a), f32x4.mul(v128.load(sums + at), b)));
  setSoftmax(joined, now, total(joined) * before + total(softmax) * added);
}
