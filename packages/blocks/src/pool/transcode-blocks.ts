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

/** How much an error in each of `cols` columns counts, floats at `at`; see Codec. */
export interface Importance {
  at: number;
  cols: number;
  weighting: 'block' | 'row';
}

/** Addresses in the kernels' memory. `staging` has room for CHUNK_WEIGHTS floats. */
export interface BlockTask {
  from: DType;
  to: DType;
  src: number;
  dst: number;
  weights: number;
  staging: number;
  /** The weights are then whole rows, or with `weighting: 'block'` a part of one. */
  importance?: Importance;
}

/** Whether `transcodeBlocks` can do it: equal types always, others with a decoder and an encoder. */
export const canTranscode = (kernels: Kernels, from: DType, to: DType): boolean =>
  from === to ||
  (kernels.decoder(from) !== undefined && (kernels.encoder(to) ?? kernels.weightedEncoder(to)) !== undefined);

/** Transcodes; for equal types it only looks, and leaves `dst` alone. */
export function transcodeBlocks(kernels: Kernels, task: BlockTask): BlockReport {
  const { from, to } = task;
  const report: BlockReport = { nonFinite: 0, firstNonFinite: -1, f16Overflows: 0 };
  if (from === to && !kernels.decoder(from)) return report;
  const convert = from.name === 'BF16' ? kernels.converter(from, to) : undefined;
  const rowWeights = task.importance?.cols ?? task.weights;
  for (let row = 0; row < task.weights; row += rowWeights) {
    const encode = encoderOf(kernels, task, row);
    for (let first = row; first < row + rowWeights; first += CHUNK_WEIGHTS) {
      const count = Math.min(CHUNK_WEIGHTS, row + rowWeights - first);
      const src = sourceOf(task, first);
      const dst = task.dst + (first / to.blockSize) * to.typeSize;
      if (convert && kernels.largestMagnitude16(src, count) < F16_OVERFLOW_BF16) convert(src, dst, count);
      else transcodeChunk(kernels, task, encode, first, count, src, dst, report);
    }
  }
  return report;
}

const sourceOf = ({ from, src }: BlockTask, first: number): number => src + (first / from.blockSize) * from.typeSize;

/** Codes `blocks` blocks from floats; `first` is the index of their first weight. */
type Encode = (floats: number, dst: number, blocks: number, first: number) => void;

/** The encoder of the row that begins with weight `row`. */
function encoderOf(kernels: Kernels, task: BlockTask, row: number): Encode | undefined {
  const { importance } = task;
  if (!importance) return kernels.encoder(task.to);
  const encode = kernels.weightedEncoder(task.to)!;
  const meanSquare = importance.weighting === 'row' ? meanSquareOf(kernels, task, row, importance.cols) : 0;
  return (floats, dst, blocks, first) => encode(floats, dst, blocks, importance.at + 4 * (first - row), meanSquare);
}

/** ggml's Σ x² / cols of one row, in F32. */
function meanSquareOf(kernels: Kernels, task: BlockTask, row: number, cols: number): number {
  const { from, staging } = task;
  let sum = 0;
  for (let first = row; first < row + cols; first += CHUNK_WEIGHTS) {
    const count = Math.min(CHUNK_WEIGHTS, row + cols - first);
    const src = sourceOf(task, first);
    if (from.name !== 'F32') kernels.decoder(from)!(src, staging, count / from.blockSize);
    sum = kernels.addSquares(from.name === 'F32' ? src : staging, count, sum);
  }
  return Math.fround(sum / cols);
}

function transcodeChunk(
  kernels: Kernels,
  { from, to, staging }: BlockTask,
  encode: Encode | undefined,
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
  encode!(floats, dst, count / to.blockSize, first);
  // One NaN spoils its whole block, so overflows can be told apart from it only where numbers stand alone.
  if (largest >= F16_OVERFLOW_BITS && (nonFinite === 0 || to.blockSize === 1)) {
    kernels.decoder(to)!(dst, staging, count / to.blockSize);
    report.f16Overflows += kernels.countNonFinite(staging, count) - nonFinite;
  }
}
