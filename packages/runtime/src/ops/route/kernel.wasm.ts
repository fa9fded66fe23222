// Items are tokens. Each expert chosen is the first, in the order of `isBefore`, of those after the one chosen before it.

/** args: logits, ids, E, used */
export function route(args: usize, begin: usize, end: usize, scratch: usize): void {
  const experts = load<u32>(args, 8);
  const used = load<u32>(args, 12);
  for (let t = begin; t < end; t++) {
    const logits = <usize>load<u32>(args) + t * experts * 4;
    const ids = <usize>load<u32>(args, 4) + t * used * 4;
    let last: i32 = -1;
    for (let n: usize = 0; n < used; n++) {
      last = nextAfter(logits, experts, last);
      store<u32>(ids + n * 4, last);
    }
  }
}

/** The expert that follows `last` in order; the first of all for -1. */
function nextAfter(logits: usize, experts: u32, last: i32): i32 {
  let best: i32 = -1;
  for (let e: i32 = 0; e < <i32>experts; e++)
    if ((last < 0 || isBefore(logits, last, e)) && (best < 0 || isBefore(logits, e, best))) best = e;
  return best;
}

/** Larger logits first, of equals the lower expert, NaN before all numbers. */
@inline
function isBefore(logits: usize, a: i32, b: i32): bool {
  const x = load<f32>(logits + <usize>a * 4), y = load<f32>(logits + <usize>b * 4);
  if (x != x || y != y) return x != x && (y == y || a < b);
  return x > y || (x == y && a < b);
}
