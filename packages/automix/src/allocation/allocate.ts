// Which type every tensor gets: the multiple-choice knapsack
//
//   minimise Σ loss_t(choice_t)   subject to   Σ bytes_t(choice_t) ≤ budget
//
// 1. Per tensor, the lower convex hull of (bytes, loss): along it each step buys less per byte than the one before.
// 2. All tensors begin at their smallest choice; steps of all hulls are taken in the order of loss saved per byte, while
//    they fit. Up to the first step that does not fit this is the optimum of the relaxed problem (the Lagrangian one).
// 3. Exchanges fill what is left: a better choice for one tensor, or for one at the cost of another, off the hull too,
//    the best first, until none helps.
// Ties go to the tensor that stands first, so that the result depends on nothing else.

/** One type that a tensor may get. */
export interface Choice {
  readonly bytes: number;
  /** What it costs in quality; sums over tensors. */
  readonly loss: number;
}

/**
 * @param tensors choices of each, in any order; at least one
 * @returns the index of the choice of each tensor, or undefined when even the smallest do not fit
 */
export function allocate(tensors: readonly (readonly Choice[])[], budget: number): number[] | undefined {
  const hulls = tensors.map(lowerHull);
  const chosen = hulls.map(([smallest]) => smallest!);
  let left = budget - chosen.reduce((sum, index, t) => sum + tensors[t]![index]!.bytes, 0);
  if (left < 0) return undefined;
  const stopped = new Set<number>();
  for (const { tensor, to, bytes } of stepsOf(tensors, hulls)) {
    // Later steps of a tensor build on the one that did not fit.
    if (stopped.has(tensor)) continue;
    if (bytes > left) {
      stopped.add(tensor);
      continue;
    }
    chosen[tensor] = to;
    left -= bytes;
  }
  return exchange(tensors, chosen, left);
}

interface Step {
  readonly tensor: number;
  readonly to: number;
  readonly bytes: number;
  readonly saved: number;
}

/** All steps of all hulls, what saves most per byte first. */
function stepsOf(tensors: readonly (readonly Choice[])[], hulls: readonly (readonly number[])[]): Step[] {
  const steps = hulls.flatMap((hull, tensor) =>
    hull.slice(1).map((to, i): Step => {
      const [before, after] = [tensors[tensor]![hull[i]!]!, tensors[tensor]![to]!];
      return { tensor, to, bytes: after.bytes - before.bytes, saved: before.loss - after.loss };
    }),
  );
  // Stable: steps of one tensor stay in their order, since a hull is convex.
  return steps.sort((a, b) => b.saved * a.bytes - a.saved * b.bytes || a.tensor - b.tensor);
}

/** Indices of the choices on the lower convex hull, smallest first; the first is the best of the smallest. */
export function lowerHull(choices: readonly Choice[]): number[] {
  const order = choices
    .map((_, index) => index)
    .sort((a, b) => choices[a]!.bytes - choices[b]!.bytes || choices[a]!.loss - choices[b]!.loss || a - b);
  const hull: number[] = [];
  for (const index of order) {
    const { bytes, loss } = choices[index]!;
    if (hull.length > 0 && loss >= choices[hull.at(-1)!]!.loss) continue;
    while (hull.length > 1 && !isConvex(choices[hull.at(-2)!]!, choices[hull.at(-1)!]!, { bytes, loss })) hull.pop();
    hull.push(index);
  }
  return hull;
}

/** Whether `b` lies below the line from `a` to `c`. */
const isConvex = (a: Choice, b: Choice, c: Choice): boolean =>
  (a.loss - b.loss) * (c.bytes - b.bytes) > (b.loss - c.loss) * (b.bytes - a.bytes);

export interface Move {
  readonly tensor: number;
  readonly to: number;
}

/** The moves of one or two tensors from a mixture to another that fits, with what they change. */
export interface Exchange {
  readonly moves: readonly Move[];
  /** Below 0: better. */
  readonly loss: number;
  readonly bytes: number;
}

function exchange(tensors: readonly (readonly Choice[])[], chosen: number[], left: number): number[] {
  let room = left;
  for (;;) {
    let best: Exchange | undefined;
    // Smaller than rounding is no improvement, and would let it go round in circles.
    for (const candidate of exchanges(tensors, chosen, room))
      if (candidate.loss < -1e-15 && (!best || candidate.loss < best.loss)) best = candidate;
    if (!best) return chosen;
    for (const { tensor, to } of best.moves) chosen[tensor] = to;
    room -= best.bytes;
  }
}

/** Every exchange that fits into `room` more bytes. */
export function* exchanges(
  tensors: readonly (readonly Choice[])[],
  chosen: readonly number[],
  room: number,
): Generator<Exchange> {
  const moves = tensors.map((choices, tensor) =>
    choices.flatMap(({ bytes, loss }, to) => {
      const own = choices[chosen[tensor]!]!;
      return to === chosen[tensor] ? [] : [{ tensor, to, bytes: bytes - own.bytes, loss: loss - own.loss }];
    }),
  );
  for (const [t, own] of moves.entries())
    for (const up of own) {
      const { tensor, to } = up;
      if (up.bytes <= room) yield { moves: [{ tensor, to }], loss: up.loss, bytes: up.bytes };
      // A pair is one that gains and one that pays for it.
      if (up.loss >= 0) continue;
      for (const [other, theirs] of moves.entries()) {
        if (other === t) continue;
        for (const down of theirs)
          if (down.bytes < 0 && up.bytes + down.bytes <= room)
            yield {
              moves: [
                { tensor, to },
                { tensor: down.tensor, to: down.to },
              ],
              loss: up.loss + down.loss,
              bytes: up.bytes + down.bytes,
            };
      }
    }
}
