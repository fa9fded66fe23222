// Labels beside a plot, each as near to its point as the others allow.

/**
 * @param wanted heights, in any order
 * @returns heights in the order of `wanted`, `gap` apart at least, within `top` … `bottom` where all of them fit
 */
export function spread(wanted: readonly number[], gap: number, top: number, bottom: number): number[] {
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a]! - wanted[b]!);
  const placed = [...wanted];
  let next = top;
  for (const i of order) {
    placed[i] = Math.max(wanted[i]!, next);
    next = placed[i]! + gap;
  }
  // What was pushed over the edge is pushed back, and pushes what is above it.
  let limit = Math.max(bottom, top + gap * (wanted.length - 1));
  for (const i of order.reverse()) {
    placed[i] = Math.min(placed[i]!, limit);
    limit = placed[i]! - gap;
  }
  return placed;
}
