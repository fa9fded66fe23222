// Items are tokens. The scores that are compared are put into scratch, those of closed groups as −∞; each expert chosen is
// the first, in the order of `isBefore`, of those after the one chosen before it.
import { scoreRow } from '../../wasm/router-scores.wasm';

/** args: logits, bias or 0, ids, E, used, score, groups, groups used, whether a group counts by its two largest */
export function route(args: usize, begin: usize, end: usize, scratch: usize): void {
  const bias: usize = load<u32>(args, 4);
  const experts = load<u32>(args, 12);
  const used = load<u32>(args, 16);
  const groups = load<u32>(args, 24);
  for (let t = begin; t < end; t++) {
    scoreRow(load<u32>(args, 20), <usize>load<u32>(args) + t * experts * 4, scratch, experts);
    if (bias)
      for (let at: usize = 0; at < <usize>experts * 4; at += 4)
        store<f32>(scratch + at, load<f32>(scratch + at) + load<f32>(bias + at));
    if (groups > 1) closeGroups(scratch, experts / groups, groups, load<u32>(args, 28), load<u32>(args, 32) != 0);
    const ids = <usize>load<u32>(args, 8) + t * used * 4;
    let last: i32 = -1;
    for (let n: usize = 0; n < used; n++) {
      last = nextAfter(scratch, experts, last);
      store<u32>(ids + n * 4, last);
    }
  }
}

/** Leaves the `open` groups with the largest sums; there are at most 32. */
function closeGroups(scores: usize, size: u32, groups: u32, open: u32, byTwo: bool): void {
  const sums = scores + <usize>(size * groups) * 4;
  for (let g: u32 = 0; g < groups; g++) {
    const group = scores + <usize>(g * size) * 4;
    const first = nextAfter(group, size, -1);
    let sum = load<f32>(group + <usize>first * 4);
    if (byTwo && size > 1) sum += load<f32>(group + <usize>nextAfter(group, size, first) * 4);
    store<f32>(sums + <usize>g * 4, sum);
  }
  let mask: u32 = 0;
  let last: i32 = -1;
  for (let n: u32 = 0; n < open; n++) {
    last = nextAfter(sums, groups, last);
    mask |= 1 << last;
  }
  for (let e: u32 = 0; e < size * groups; e++)
    if (!((mask >> (e / size)) & 1)) store<f32>(scores + <usize>e * 4, -Infinity);
}

/** The place that follows `last` in order; the first of all for -1. */
function nextAfter(scores: usize, count: u32, last: i32): i32 {
  let best: i32 = -1;
  for (let e: i32 = 0; e < <i32>count; e++)
    if ((last < 0 || isBefore(scores, last, e)) && (best < 0 || isBefore(scores, e, best))) best = e;
  return best;
}

/** Larger scores first, of equals the lower place, NaN before all numbers. */
@inline
function isBefore(scores: usize, a: i32, b: i32): bool {
  const x = load<f32>(scores + <usize>a * 4), y = load<f32>(scores + <usize>b * 4);
  if (x != x || y != y) return x != x && (y == y || a < b);
  return x > y || (x == y && a < b);
}
