// The rows of x as the matmul kernels read them: floats where they are, or rounded to 8 bits in the device's staging
// memory, as many at a time as fit there.
import type { CpuCall, CpuWork } from '../op.ts';

/** Rows of x that one job of a kernel multiplies. */
export interface Rows {
  /** Address of the first one, and bytes from one to the next. */
  readonly x: number;
  readonly rowBytes: number;
  readonly first: number;
  readonly count: number;
  /** What `multiplyPanel` (wasm/panel.wasm.ts) wants to know about the weights. */
  readonly panelWords: readonly number[];
}

/** Work on all `count` rows of `x`, [count, cols], with the weights `w`. */
export function multiplyRows<Name extends 'matmul' | 'matmulExperts'>(
  { input, weight, rounding, finite }: CpuCall<Name>,
  { count, cols, bias }: { count: number; cols: number; bias: number },
  multiply: (rows: Rows) => CpuWork,
): CpuWork[] {
  const stored = weight('w');
  const rounded = rounding('w', cols);
  if (!rounded) {
    const panelWords = [input('w'), bias, cols, ...stored, finite('w') ? 2 : 0];
    return [multiply({ x: input('x'), rowBytes: 4 * cols, first: 0, count, panelWords })];
  }
  const { groups, staging } = rounded;
  const { address, rowBytes, rows, filled } = staging;
  const panelWords = [groups.address, bias, cols, ...stored, 1, groups.firstRow];
  const work: CpuWork[] = [];
  for (let first = 0; first < count; first += rows) {
    const part = Math.min(rows, count - first);
    const words = [input('x') + 4 * cols * first, cols, stored[1], rowBytes, address];
    if (!filled) work.push({ kernel: 'roundRows', words, items: part, itemCost: 4 * cols });
    work.push(multiply({ x: address, rowBytes, first, count: part, panelWords }));
  }
  return work;
}
