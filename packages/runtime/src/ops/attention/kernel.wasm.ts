// Softmax over spans of positions, each visited in tiles with a running maximum and sum (online softmax), so that scratch
// does not grow with the context. A tile is read and decoded once for all heads that share its keys and all tokens of an
// item. The spans of a query are joined in their order, by whoever computes them: a thread that takes one span after the
// other (attention), or one that joins what several threads left in memory (attentionSpans, then attentionJoin).
import { exp1 } from '../../wasm/exp.wasm';
import {
  blockTokensOf, firstPosition, headDimOf, headSize, headsOf, headStride, KEYS, kvHeadsOf, lastPosition, maxBlocksOf, outputsOf,
  partialsOf, queriesOf, scaleOf, sequenceOf, sinksOf, softCapOf, spansOf, storedAs, tableOf, tokensOf, tokensPerItemOf,
  valueDimOf, VALUES,
} from './arguments.wasm';
import {
  CELLS, clearSoftmax, copySoftmax, firstOf, highOf, joinedSoftmax, largest, lastOf, lowOf, mostQueries, outputOf, queryAt,
  setQuery, setSoftmax, setTileRange, SOFTMAX_BYTES, SPAN, spanSoftmax, SUMS, tilePositions, total,
} from './queries.wasm';
import { accumulate, capScores, gather, multiply, score, weigh } from './tile.wasm';

/** A partial result: Σ weight · value [valueDim] and the softmax it belongs to. */
@inline
function partialAt(args: usize, row: usize, span: usize): usize {
  return partialsOf(args) + (row * spansOf(args) + span) * (valueDimOf(args) * 4 + SOFTMAX_BYTES);
}

/** An item is some tokens and a head of keys. */
export function attention(args: usize, begin: usize, end: usize, scratch: usize): void {
  const kvHeads = kvHeadsOf(args);
  const tokensPerItem = tokensPerItemOf(args);
  for (let item = begin; item < end; item++) {
    const kvHead = item % kvHeads;
    const endToken = min((item / kvHeads + 1) * tokensPerItem, tokensOf(args));
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
  const spans = spansOf(args);
  const group = headsOf(args) / kvHeads;
  const valueBytes = valueDimOf(args) * 4;
  const most = mostQueries(valueDimOf(args));
  for (let item = begin; item < end; item++) {
    const span = item % spans;
    const kvHead = (item / spans) % kvHeads;
    const token = item / spans / kvHeads;
    const from = (firstPosition(args, token) / SPAN + span) * SPAN;
    if (from > lastPosition(args, token)) continue;
    for (let head: usize = 0; head < group; head += most) {
      const queries = min(most, group - head);
      listQueries(args, token, kvHead, head, queries, scratch);
      attendSpan(args, token, kvHead, from, queries, scratch);
      for (let n: usize = 0; n < queries; n++) {
        const partial = partialAt(args, token * headsOf(args) + kvHead * group + head + n, span);
        memory.copy(partial, scratch + SUMS + n * valueBytes, valueBytes);
        copySoftmax(partial + valueBytes, spanSoftmax(queryAt(scratch, n)));
      }
    }
  }
}

/** An item is a row of y. */
export function attentionJoin(args: usize, begin: usize, end: usize, scratch: usize): void {
  const valueBytes = valueDimOf(args) * 4;
  for (let item = begin; item < end; item++) {
    const token = item / headsOf(args);
    const count = lastPosition(args, token) / SPAN - firstPosition(args, token) / SPAN + 1;
    const out = outputsOf(args) + item * valueBytes;
    for (let span: usize = 0; span < count; span++) {
      const partial = partialAt(args, item, span);
      join(span == 0, out, scratch, partial, partial + valueBytes, valueBytes);
    }
    finish(args, item % headsOf(args), out, scratch);
  }
}

/** Tokens `begin` … `end − 1` of one sequence and all heads that share `kvHead`. */
function attendTokens(args: usize, begin: usize, end: usize, kvHead: usize, scratch: usize): void {
  const valueBytes = valueDimOf(args) * 4;
  const most = mostQueries(valueDimOf(args));
  const group = headsOf(args) / kvHeadsOf(args);
  const all = (end - begin) * group;
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
        const sums = scratch + SUMS + n * valueBytes;
        join(firstOf(query) >= from, outputOf(query), joinedSoftmax(query), sums, spanSoftmax(query), valueBytes);
      }
    }
    for (let n: usize = 0; n < queries; n++) {
      const query = queryAt(scratch, n);
      finish(args, kvHead * group + ((done + n) % group), outputOf(query), joinedSoftmax(query));
    }
  }
}

/** Queries number `skip` … of those that token `begin` and the ones after it have for `kvHead`. */
function listQueries(args: usize, begin: usize, kvHead: usize, skip: usize, queries: usize, scratch: usize): void {
  const group = headsOf(args) / kvHeadsOf(args);
  for (let n: usize = 0; n < queries; n++) {
    const token = begin + (skip + n) / group;
    const row = token * headsOf(args) + kvHead * group + ((skip + n) % group);
    const vector = queriesOf(args) + row * headDimOf(args) * 4, output = outputsOf(args) + row * valueDimOf(args) * 4;
    setQuery(queryAt(scratch, n), vector, output, firstPosition(args, token), lastPosition(args, token));
  }
}

/** Softmax and sums of every query over positions `from` … of one span; `token` says which sequence. */
function attendSpan(args: usize, token: usize, kvHead: usize, from: usize, queries: usize, scratch: usize): void {
  const headBytes = headDimOf(args) * 4;
  const valueBytes = valueDimOf(args) * 4;
  const cap = softCapOf(args);
  for (let n: usize = 0; n < queries; n++) clearSoftmax(spanSoftmax(queryAt(scratch, n)));
  memory.fill(scratch + SUMS, 0, queries * valueBytes);
  const count = tilePositions(max(headDimOf(args), valueDimOf(args)));
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
    gatherHead(args, KEYS, kvHead, low, high, count, scratch);
    score(queries, low, high, headBytes, scaleOf(args), scratch);
    if (cap > 0) capScores(queries, low, high, cap, scratch);
    for (let n: usize = 0; n < queries; n++) weigh(n, valueBytes, scratch);
    gatherHead(args, VALUES, kvHead, low, high, count, scratch);
    accumulate(queries, valueBytes, scratch);
  }
}

/** Cells of positions `from + low` … `from + high − 1`. */
function locate(args: usize, token: usize, from: usize, low: usize, high: usize, scratch: usize): void {
  const blockTokens = blockTokensOf(args);
  const table = tableOf(args) + sequenceOf(args, token) * maxBlocksOf(args) * 4;
  for (let i = low; i < high; i++) {
    const position = from + i;
    const block: usize = load<u32>(table + (position / blockTokens) * 4);
    store<u32>(scratch + CELLS + i * 4, <u32>(block * blockTokens + (position % blockTokens)));
  }
}

/** The tile's rows of one head, of KEYS or of VALUES. */
function gatherHead(args: usize, which: usize, kvHead: usize, low: usize, high: usize, count: usize, scratch: usize): void {
  const stored = storedAs(args, which);
  const blockSize: usize = load<u32>(stored, 4), typeSize: usize = load<u32>(stored, 8);
  const blocks = headSize(args, which) / blockSize;
  const strideBytes = (headStride(args, which) / blockSize) * typeSize;
  const rows = <usize>load<u32>(args + which) + kvHead * strideBytes;
  const decodedBytes = headSize(args, which) * 4;
  gather(rows, kvHeadsOf(args) * strideBytes, load<u32>(stored), blocks, decodedBytes, blocks * typeSize, low, high, count, scratch);
}

/** Adds the sums of a span to those of the spans before, both scaled to the larger of their largest scores. */
function join(isFirst: bool, out: usize, joined: usize, sums: usize, softmax: usize, valueBytes: usize): void {
  if (isFirst) {
    memory.copy(out, sums, valueBytes);
    copySoftmax(joined, softmax);
    return;
  }
  const now = max(largest(joined), largest(softmax));
  const before = exp1(largest(joined) - now), added = exp1(largest(softmax) - now);
  const a = f32x4.splat(before), b = f32x4.splat(added);
  for (let at: usize = 0; at < valueBytes; at += 16)
    v128.store(out + at, f32x4.add(f32x4.mul(v128.load(out + at), a), f32x4.mul(v128.load(sums + at), b)));
  setSoftmax(joined, now, total(joined) * before + total(softmax) * added);
}

/** Divides a query's sums by all its powers, that of the head's sink included. */
function finish(args: usize, head: usize, out: usize, softmax: usize): void {
  let factor = 1 / total(softmax);
  if (sinksOf(args)) {
    const sink = load<f32>(sinksOf(args) + head * 4);
    const now = max(sink, largest(softmax));
    const shrink = <f64>exp1(largest(softmax) - now);
    factor = shrink / (total(softmax) * shrink + <f64>exp1(sink - now));
  }
  multiply(out, valueDimOf(args) * 4, <f32>factor);
}
