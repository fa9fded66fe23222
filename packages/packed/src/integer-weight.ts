// A weight whose codes are integers: from its groups come floats and ggml blocks, the same way for every format.
import { ggmlForms } from './ggml-forms.ts';
import type { GroupedRows, PackedWeight } from './packed-weight.ts';
import { proveRange } from './proofs.ts';
import type { StoredTensor } from './stored-tensor.ts';

/** What a format knows about one of its weights. */
export interface IntegerWeight {
  readonly name: string;
  readonly format: string;
  /** `[out, in]` or `[experts, out, in]`. */
  readonly shape: readonly number[];
  readonly parts: readonly string[];
  readonly bits: number;
  /** Columns per scale; `in` when one scale covers a row. The last group may have fewer. */
  readonly groupSize: number;
  /** How codes are shifted: by 2^(bits − 1), by a zero per group, by an offset in f32. */
  readonly shift: 'middle' | 'zeros' | 'offsets';
  /** Whether groups are runs of columns. */
  readonly inOrder: boolean;
  /** Where scales (and offsets) are stored: ggml's blocks have them as F16. */
  readonly scaleParts: readonly StoredTensor[];
  /** Reads some rows, of which it gets as many as fit in memory. */
  readGroups(firstRow: number, count: number): Promise<GroupedRows>;
}

/** Codes held at once. */
const BATCH = 2 ** 20;

export function integerWeight(source: IntegerWeight): PackedWeight {
  const cols = source.shape[source.shape.length - 1];
  const rows = source.shape.slice(0, -1).reduce((product, size) => product * size, 1);
  const batchRows = Math.max(1, Math.floor(BATCH / cols));
  const bounds = { name: source.name, rows };

  /** Hands out the rows in pieces of a bounded size; `at` counts rows from `firstRow`. */
  const forPieces = async (firstRow: number, count: number, use: (piece: GroupedRows, at: number) => void) => {
    for (let at = 0; at < count; at += batchRows) {
      use(await source.readGroups(firstRow + at, Math.min(batchRows, count - at)), at);
    }
  };

  return {
    name: source.name,
    format: source.format,
    shape: source.shape,
    parts: source.parts,
    bits: source.bits,
    groupSize: source.groupSize,
    async readRows(firstRow, count, into) {
      proveRange(bounds, firstRow, count, into.length, cols);
      await forPieces(firstRow, count, (piece, at) =>
        dequantize(piece, into.subarray(at * cols, (at + piece.rows) * cols)),
      );
    },
    async readGroups(firstRow, count) {
      proveRange(bounds, firstRow, count, count, 1);
      return source.readGroups(firstRow, count);
    },
    exact: ggmlForms(source, bounds, forPieces),
  };
}

/** Groups → f32, as GroupedRows says; every product is rounded once. */
export function dequantize(piece: GroupedRows, into: Float32Array): void {
  const { rows, cols, groupSize, codes, scales, zeros, offsets, groupOf } = piece;
  const groups = scales.length / rows;
  const middle = 2 ** (piece.bits - 1);
  for (let row = 0; row < rows; row++) {
    const at = row * cols;
    if (groupOf) {
      for (let c = 0; c < cols; c++) {
        const g = row * groups + groupOf[c];
        into[at + c] = (codes[at + c] - (zeros ? zeros[g] : middle)) * scales[g];
      }
      continue;
    }
    for (let group = 0; group < groups; group++) {
      const g = row * groups + group;
      const scale = scales[g];
      const end = at + Math.min(cols, (group + 1) * groupSize);
      if (offsets) {
        const offset = offsets[g];
        for (let i = at + group * groupSize; i < end; i++) into[i] = Math.fround(codes[i] * scale) + offset;
      } else {
        const zero = zeros ? zeros[g] : middle;
        for (let i = at + group * groupSize; i < end; i++) into[i] = (codes[i] - zero) * scale;
      }
    }
  }
}
