// Size of a tensor as ggml stores it: rows of whole blocks.
import type { DType } from '@quern/blocks';

/** Bytes, or the reason why there is no such tensor. `shape` is row-major, innermost dimension last. */
export function tensorBytes(dtype: DType, shape: readonly number[]): number | 'overflow' | 'partial block' {
  const cols = shape.at(-1) ?? 1;
  if (cols % dtype.blockSize !== 0) return 'partial block';
  if (shape.includes(0)) return 0;
  const bytes = shape.reduce((product, dim) => product * dim, dtype.typeSize) / dtype.blockSize;
  // Weights are checked too: below 2^53 every product above is exact.
  const weights = shape.reduce((product, dim) => product * dim, 1);
  return Number.isSafeInteger(weights) && Number.isSafeInteger(weights * dtype.typeSize) ? bytes : 'overflow';
}

export function alignUp(offset: number, alignment: number): number {
  return Math.ceil(offset / alignment) * alignment;
}
