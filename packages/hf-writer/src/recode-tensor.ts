// A stored tensor of any type as plain numbers: copied where the type stays, decoded and rounded to nearest otherwise.
// Counts the numbers that the new type does not hold exactly.
import {
  type Drain,
  type DType,
  dtypeByName,
  type Fill,
  fillFromRows,
  rowBytes,
  type TranscodePool,
  type TranscodeTask,
} from '@quern/blocks';
import type { TensorView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import type { HfTensor, TensorSink } from './hf-folder.ts';

export interface RecodeOptions {
  /** Write NaN and infinities as they come. */
  allowNonFinite?: boolean;
  /** `inf`: numbers beyond F16 become infinite. Default `refuse`. */
  onOverflow?: 'refuse' | 'inf';
  /** Told when a tensor is written. */
  onRecoded?: (report: RecodeReport) => void;
}

export interface RecodeReport {
  readonly name: string;
  readonly from: DType;
  readonly to: DType;
  /** Numbers in it. */
  readonly count: number;
  /** Numbers that changed because `to` does not hold them. */
  readonly rounded: number;
}

const bytesPerStep = 2 ** 23;

/**
 * @param to F32, F16, BF16, or the type that the tensor has
 * @param view under the name that it gets
 * @throws QuernError `transcode-unsupported` when the type has no decoder; its `write` also `refused-non-finite`,
 *   `refused-f16-overflow`, and what reading throws
 */
export function recodedTensor(view: TensorView, to: DType, pool: TranscodePool, options: RecodeOptions = {}): HfTensor {
  const { name, dtype: from, shape, rows, cols } = view;
  const values = dtypeByName('F32')!;
  if (!pool.supports(from, from === to ? to : values)) {
    throw new QuernError('transcode-unsupported', `Weights stored as ${from.name} cannot be decoded.`, {
      file: view.file,
      tensor: name,
    });
  }
  /** Rows `first…` from what `fill` gives to what `drain` takes. */
  const transcode = async (step: Step, first: number, rows: number, fill: Fill, drain: Drain): Promise<void> => {
    const found = await pool.transcode({ ...step, rows, cols }, fill, drain);
    refuse(view, to, found, first, options);
  };
  const readFrom = (first: number): Fill =>
    fillFromRows({ from, cols }, (row, count, into) => view.readRows(first + row, count, into));

  /** In one step: a copy, or to F32, which holds every value. */
  const writeExactly = (sink: TensorSink): Promise<void> =>
    transcode({ from, to }, 0, rows, readFrom(0), (out, piece) => sink.write(out, piece.targetOffset));

  /** By way of float32, some rows at a time: what the narrower type drops is counted in between. */
  const writeCounting = async (sink: TensorSink): Promise<number> => {
    const rowsPerStep = Math.min(rows, Math.max(1, Math.floor((pool.threads * bytesPerStep) / Math.max(1, 4 * cols))));
    const buffer = new Uint8Array(rowsPerStep * 4 * cols);
    let rounded = 0;
    for (let first = 0; first < rows; first += rowsPerStep) {
      const count = Math.min(rowsPerStep, rows - first);
      const between = buffer.subarray(0, count * 4 * cols);
      await transcode({ from, to: values }, first, count, readFrom(first), (out, piece) =>
        between.set(out, piece.targetOffset),
      );
      rounded += countInexact(between, to);
      await transcode(
        { from: values, to },
        first,
        count,
        (into, { sourceOffset }) => into.set(between.subarray(sourceOffset, sourceOffset + into.length)),
        (out, { targetOffset }) => sink.write(out, first * rowBytes(to, cols) + targetOffset),
      );
    }
    return rounded;
  };
  return {
    name,
    dtype: to,
    shape,
    async write(sink) {
      const exact = from === to || to === values;
      let rounded = 0;
      if (exact) await writeExactly(sink);
      else rounded = await writeCounting(sink);
      options.onRecoded?.({ name, from, to, count: rows * cols, rounded });
    },
  };
}

type Step = Pick<TranscodeTask, 'from' | 'to'>;

/** How many float32 numbers have bits that the narrower type drops. */
function countInexact(bytes: Uint8Array, to: DType): number {
  const bits = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  let inexact = 0;
  if (to.name === 'BF16') {
    for (let i = 0; i < bits.length; i++) if ((bits[i]! & 0xffff) !== 0) inexact++;
    return inexact;
  }
  for (let i = 0; i < bits.length; i++) {
    const exponent = (bits[i]! >>> 23) & 255;
    // NaN and infinity stay what they are.
    if (exponent === 255) continue;
    // F16 has 10 bits of mantissa down to 2^-14 (exponent 113), then one less per power of two, none below 2^-24.
    const dropped = exponent >= 113 ? 13 : 126 - exponent;
    const mantissa = (bits[i]! & 0x7fffff) | (exponent === 0 ? 0 : 0x800000);
    if (mantissa !== 0 && (dropped > 24 || exponent > 142 || (mantissa & ((1 << dropped) - 1)) !== 0)) inexact++;
  }
  return inexact;
}

function refuse(
  view: TensorView,
  to: DType,
  found: Awaited<ReturnType<TranscodePool['transcode']>>,
  first: number,
  { allowNonFinite, onOverflow }: RecodeOptions,
): void {
  const place = { file: view.file, tensor: view.name };
  const { nonFinite, firstNonFinite: where, f16Overflows } = found;
  if (nonFinite > 0 && !allowNonFinite) {
    const at = where ? `, the first in row ${first + where.row}, column ${where.col}` : '';
    throw new QuernError('refused-non-finite', `${nonFinite} weights are NaN or infinite${at}.`, {
      ...place,
      remedy: 'The model is damaged. To write it all the same, add --allow-non-finite.',
    });
  }
  if (f16Overflows > 0 && onOverflow !== 'inf') {
    throw new QuernError('refused-f16-overflow', `${f16Overflows} weights are too large for ${to.name}.`, {
      ...place,
      remedy: 'Use --type bf16 or f32; or write infinities with --on-overflow inf.',
    });
  }
}
