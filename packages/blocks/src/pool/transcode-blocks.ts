// Stored blocks of one type → stored blocks of another, in one memory, while looking for what must not pass in silence.
// Work goes in chunks small enough that the floats between decoder and encoder stay in the L1 cache, and that the many
// short calls let V8 swap in optimized code (a running wasm function is never replaced).
import type { DType } from '../dtype.ts';
import type { Kernels } from '../wasm/kernels.ts';

/** A multiple of every block size. */
export const CHUNK_WEIGHTS = 4096;

const INFINITY_BITS = 0x7f800000;
/** The least magnitude that F16 rounds to infinity, 65520. Scales of block types are never larger than their weights. */
const F16_OVERFLOW_BITS = 0x477ff000;
/** The least BF16 beyond that, 65536. */
const F16_OVERFLOW_BF16 = 0x4780;

export interface BlockReport {
  /** NaN and infinities among the source weights. */
  nonFinite: number;
  /** Index of the first of them, −1 when there are none. */
  firstNonFinite: number;
  /** Weights that were finite and are not any more, their own F16 or their block's F16 scale being infinite. */
  f16Overflows: number;
}

/** Addresses in the kernels' memory. `staging` has room for CHUNK_WEIGHTS floats. */
export interface BlockTask {
  from: DType;
  to: DType;
  src: number;
  dst: number;
  weights: number;
  staging: number;
}

/** Whether `transcodeBlocks` can do it: equal types always, others with a decoder and an encoder. */
export const canTranscode = (kernels: Kernels, from: DType, to: DType): boolean =>
  from === to || (kernels.decoder(from) !== undefined && kernels.encoder(to) !== undefined);

/** Transcodes; for equal types it only looks, and leaves `dst` alone. */
export function transcodeBlocks(kernels: Kernels, task: BlockTask): BlockReport {
  const { from, to } = task;
  const report: BlockReport = { nonFinite: 0, firstNonFinite: -1, f16Overflows: 0 };
  if (from === to && !kernels.decoder(from)) return report;
  const convert = from.name === 'BF16' ? kernels.converter(from, to) : undefined;
  for (let first = 0; first < task.weights; first += CHUNK_WEIGHTS) {
    const count = Math.min(CHUNK_WEIGHTS, task.weights - first);
    const src = task.src + (first / from.blockSize) * from.typeSize;
    const dst = task.dst + (first / to.blockSize) * to.typeSize;
    if (convert && kernels.largestMagnitude16(src, count) < F16_OVERFLOW_BF16) convert(src, dst, count);
    else transcodeChunk(kernels, task, first, count, src, dst, report);
  }
  return report;
}

function transcodeChunk(
  kernels: Kernels,
  { from, to, staging }: BlockTask,
  first: number,
  count: number,
  src: number,
  dst: number,
  report: BlockReport,
): void {
  const floats = from.name === 'F32' ? src : to.name === 'F32' ? dst : staging;
  if (floats !== src) kernels.decoder(from)!(src, floats, count / from.blockSize);
  const largest = kernels.largestMagnitude(floats, count);
  let nonFinite = 0;
  if (largest >= INFINITY_BITS) {
    nonFinite = kernels.countNonFinite(floats, count);
    if (report.firstNonFinite < 0) report.firstNonFinite = first + kernels.firstNonFinite(floats, count);
    report.nonFinite += nonFinite;
  }
  if (from === to || floats === dst) return;
  kernels.encoder(to)!(floats, dst, count / to.blockSize);
  // One NaN spoils its whole block, so overflows can be told apart from it only where numbers stand alone.
  if (largest >= F16_OVERFLOW_BITS && (nonFinite === 0 || to.blockSize === 1)) {
    kernels.decoder(to)!(dst, staging, count / to.blockSize);
    report.f16Overflows += kernels.countNonFinite(staging, count) - nonFinite;
  }
}
