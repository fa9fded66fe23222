// Bytes of the types with grids, IQ1 to IQ3, against ggml's: tests of quantize-native.test.ts, whose process has waited for ggml's
// grids already. It ends the process where errors are not finite; on such rows our coders store NaN as scale (search/grid.ts), and
// ggml is not asked.
import { codecOf, type DType, dtypeByName, rowBytes, TranscodePool } from '@quern/blocks';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { edgeImportances, edgeRows, gaussian, seededRandom } from '../../packages/blocks/src/testing/edge-rows.ts';
import { firstDifference, matricesOf } from './compare.ts';
import { type GgmlTypeName, nativeDequantize, nativeQuantizeChunk, oracleUnavailable } from './src/index.ts';

const types = ['IQ3_S', 'IQ3_XXS', 'IQ2_S', 'IQ2_XS', 'IQ2_XXS', 'IQ1_S', 'IQ1_M'] as const;
const cols = 256;
const rows = Object.entries(edgeRows(cols, 2));

const decode = (dtype: DType, bytes: Uint8Array) => {
  const values = new Float32Array((bytes.length / dtype.typeSize) * dtype.blockSize);
  codecOf(dtype).decode(bytes, values);
  return values;
};

/** Rows of every kind; returns how many of them ggml can encode. */
function compareEdgeRows(type: GgmlTypeName, importance?: Float32Array): number {
  const dtype = dtypeByName(type);
  let compared = 0;
  for (const [kind, row] of rows) {
    const ours = new Uint8Array(rowBytes(dtype, cols));
    codecOf(dtype).encode(row, ours, cols, importance);
    if (decode(dtype, ours).some(Number.isNaN)) continue;
    const native = nativeQuantizeChunk(type, row, 1, cols, importance);
    expect(firstDifference(ours, native, dtype.typeSize), kind).toBeUndefined();
    compared++;
  }
  return compared;
}

describe.skipIf(oracleUnavailable).each(types)('%s and ggml', (type) => {
  const dtype = dtypeByName(type);
  const { needsImportance } = codecOf(dtype);

  // ggml sorts all points for all vectors before it encodes the first block of a type: half a minute for IQ1.
  beforeAll(() => void nativeQuantizeChunk(type, new Float32Array(cols), 1, cols, new Float32Array(cols)));

  test('decode any bytes alike', () => {
    const random = seededRandom(5);
    const bytes = Uint8Array.from({ length: 64 * dtype.typeSize }, () => random() * 256);
    expect(decode(dtype, bytes)).toEqual(nativeDequantize(type, bytes, 64 * cols));
  });

  test.each(Object.entries(edgeImportances(cols, 2)))(
    'encode alike under importance: %s',
    (_, importance) => void expect(compareEdgeRows(type, importance)).toBeGreaterThan(rows.length / 3),
  );

  test.skipIf(needsImportance)(
    'encode alike without importance',
    () => void expect(compareEdgeRows(type)).toBeGreaterThan((rows.length * 3) / 4),
  );
});

describe.skipIf(oracleUnavailable)('the SIMD kernels and ggml', () => {
  let pool: TranscodePool;
  beforeAll(async () => {
    pool = await TranscodePool.create({ threads: 2 });
  });
  afterAll(() => pool.close());

  const encode = async (to: DType, rows: number, cols: number, values: Float32Array, importance?: Float32Array) => {
    const source = new Uint8Array(values.buffer);
    const bytes = new Uint8Array(rows * rowBytes(to, cols));
    await pool.transcode(
      { from: dtypeByName('F32'), to, rows, cols, importance },
      (into, piece) => into.set(source.subarray(piece.sourceOffset, piece.sourceOffset + into.length)),
      (out, piece) => bytes.set(out, piece.targetOffset),
    );
    return bytes;
  };

  const compare = async (
    type: GgmlTypeName,
    rows: number,
    cols: number,
    values: Float32Array,
    importance: Float32Array,
  ) => {
    const dtype = dtypeByName(type);
    for (const given of codecOf(dtype).needsImportance ? [importance] : [importance, undefined]) {
      const ours = await encode(dtype, rows, cols, values, given);
      expect(
        firstDifference(ours, nativeQuantizeChunk(type, values, rows, cols, given), dtype.typeSize),
      ).toBeUndefined();
    }
  };

  test.each(types)('%s: the matrices of a trained model', async (type) => {
    const random = seededRandom(22);
    for (const matrix of matricesOf(new URL('../models/tiny-llama/model.safetensors', import.meta.url))) {
      const rows = Math.min(matrix.rows, 64);
      const values = new Float32Array(rows * matrix.cols);
      codecOf(dtypeByName('BF16')).decode(matrix.bytes.subarray(0, 2 * values.length), values);
      await compare(
        type,
        rows,
        matrix.cols,
        values,
        Float32Array.from({ length: matrix.cols }, () => random() ** 4),
      );
    }
  });

  test.each(types)('%s: normal weights, and rows of ever wider spreads of exponents', async (type) => {
    const random = seededRandom(20);
    const normal = gaussian(random);
    const [rows, cols] = [64, 1024];
    const values = Float32Array.from({ length: rows * cols }, (_, i) => {
      const spread = i < (rows * cols) / 2 ? 0 : (Math.floor(i / cols) % 16) * 5;
      return Math.fround(normal() * 0.02 * 2 ** ((random() - 0.5) * spread));
    });
    await compare(
      type,
      rows,
      cols,
      values,
      Float32Array.from({ length: cols }, () => Math.exp(2 * normal())),
    );
  });
});
