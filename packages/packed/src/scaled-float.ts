// F8 numbers times a scale: of the tensor, of a row, or of a tile of the matrix (DeepSeek's 128 × 128).
import { codecOf, dtypeByName } from '@quern/blocks';
import type { PackedWeight } from './packed-weight.ts';
import { proveCols, proveDType, proveRange, proveRank, proveShape } from './proofs.ts';
import { POWER_DTYPES, readScales, SCALE_DTYPES } from './scales.ts';
import type { StoredTensor } from './stored-tensor.ts';

/** What a scale covers. */
export type ScaleUnit = 'tensor' | 'row' | readonly [tileRows: number, tileCols: number];

export interface ScaledFloat {
  readonly name: string;
  readonly format: string;
  readonly weight: StoredTensor;
  readonly scales: StoredTensor;
  readonly unit: ScaleUnit;
}

const BATCH = 2 ** 20;

/**
 * w[o][i] = weight[o][i] · scales[tile of (o, i)], one rounding. Stacks `[experts, out, in]` have scales per expert.
 * @throws QuernError when dtypes or shapes do not fit
 */
export function scaledFloat({ name, format, weight, scales, unit }: ScaledFloat): PackedWeight {
  proveRank(weight, 2, 3);
  proveDType(weight, 'F8_E4M3', 'F8_E5M2');
  proveDType(scales, ...SCALE_DTYPES, ...POWER_DTYPES);
  const { cols, rows } = weight;
  proveCols(weight, cols);
  const out = weight.shape[weight.shape.length - 2];
  const grid = scaleGrid(weight, scales, unit);
  const values = valuesOf(weight.dtype.name);
  const batchRows = Math.max(1, Math.floor(BATCH / cols));

  async function readPiece(first: number, count: number, into: Float32Array): Promise<void> {
    const bytes = new Uint8Array(count * cols);
    await weight.readRows(first, count, bytes);
    const scaleRow = (row: number) => Math.floor(row / out) * grid.rows + Math.floor((row % out) / grid.tileRows);
    // A vector of scales is one stored row; a matrix is read where it is needed.
    const firstScale = grid.asVector ? 0 : scaleRow(first);
    const stored = grid.asVector
      ? await readScales(scales, 0, 1)
      : await readScales(scales, firstScale, scaleRow(first + count - 1) - firstScale + 1);
    for (let r = 0; r < count; r++) {
      const base = (scaleRow(first + r) - firstScale) * grid.cols;
      for (let column = 0; column < grid.cols; column++) {
        const scale = stored[base + column];
        const end = r * cols + Math.min(cols, (column + 1) * grid.tileCols);
        for (let i = r * cols + column * grid.tileCols; i < end; i++) into[i] = values[bytes[i]] * scale;
      }
    }
  }

  return {
    name,
    format,
    shape: weight.shape,
    parts: [weight.name, scales.name],
    bits: 8,
    exact: [],
    async readRows(firstRow, count, into) {
      proveRange({ name, rows }, firstRow, count, into.length, cols);
      for (let at = 0; at < count; at += batchRows) {
        const piece = Math.min(batchRows, count - at);
        await readPiece(firstRow + at, piece, into.subarray(at * cols, (at + piece) * cols));
      }
    },
  };
}

interface Grid {
  readonly tileRows: number;
  readonly tileCols: number;
  /** Scales per expert, down and across. */
  readonly rows: number;
  readonly cols: number;
  /** Whether all scales are one stored row, whose entry r · cols + c is scale (r, c). */
  readonly asVector: boolean;
}

function scaleGrid(weight: StoredTensor, scales: StoredTensor, unit: ScaleUnit): Grid {
  const [out, cols] = weight.shape.slice(-2);
  const stack = weight.shape.slice(0, -2);
  const { shape } = scales;
  const is = (...expected: number[]) =>
    shape.length === expected.length && expected.every((size, axis) => size === shape[axis]);
  if (unit === 'tensor') {
    const grid = { tileRows: out, tileCols: cols, rows: 1, cols: 1 };
    if (stack.length === 0 && (is() || is(1) || is(1, 1))) return { ...grid, asVector: true };
    proveShape(scales, [...stack, 1, 1], 'a scale per tensor');
    return { ...grid, asVector: false };
  }
  if (unit === 'row') {
    const grid = { tileRows: 1, tileCols: cols, rows: out, cols: 1 };
    if (stack.length === 0 && is(out)) return { ...grid, asVector: true };
    proveShape(scales, [...stack, out, 1], 'a scale per row');
    return { ...grid, asVector: false };
  }
  const [tileRows, tileCols] = unit;
  const [down, across] = [Math.ceil(out / tileRows), Math.ceil(cols / tileCols)];
  proveShape(scales, [...stack, down, across], `tiles of ${tileRows} × ${tileCols} of ${weight.name}`);
  return { tileRows, tileCols, rows: down, cols: across, asVector: false };
}

/** What each byte means. */
function valuesOf(dtype: string): Float32Array {
  const values = new Float32Array(256);
  codecOf(dtypeByName(dtype)).decode(
    Uint8Array.from({ length: 256 }, (_, byte) => byte),
    values,
  );
  return values;
}
