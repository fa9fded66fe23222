// Our bytes against ggml's: reference codecs and SIMD kernels, on rows where coders are known to differ.
import { codecOf, dtypeByName, dtypes, rowBytes, TranscodePool } from '@quern/blocks';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { edgeImportances, edgeRows, gaussian, seededRandom } from '../../packages/blocks/src/testing/edge-rows.ts';
import { firstDifference, matricesOf } from './compare.ts';
import {
  type GgmlTypeName,
  nativeDequantize,
  nativeQuantizeChunk,
  nativeTypeTraits,
  oracleUnavailable,
} from './src/index.ts';

const types: readonly GgmlTypeName[] = [
  ...(['F32', 'F16', 'BF16'] as const),
  ...(['Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0'] as const),
  ...(['Q2_K', 'Q3_K', 'Q4_K', 'Q5_K', 'Q6_K'] as const),
  ...(['IQ4_NL', 'IQ4_XS', 'TQ1_0', 'TQ2_0', 'MXFP4', 'NVFP4', 'Q1_0', 'Q2_0'] as const),
];
/** ggml ends the process when one of the others is asked for without importance. */
const typesWithoutImportance = types.filter((type) => !codecOf(dtypeByName(type)).needsImportance);
const edgeCols = 1024;
const rows = edgeRows(edgeCols);
const importances = edgeImportances(edgeCols);

describe.skipIf(oracleUnavailable)('ggml', () => {
  test('sizes every type as our table does', () => {
    const ours = dtypes.filter((dtype) => dtype.ggmlId !== undefined);
    for (const { name, ggmlId, blockSize, typeSize } of ours) {
      expect(nativeTypeTraits(ggmlId as number), name).toEqual({ name: nativeName(name), blockSize, typeSize });
    }
    const theirs = Array.from({ length: 64 }, (_, id) => id).filter((id) => nativeTypeTraits(id));
    expect(ours.map((dtype) => dtype.ggmlId).sort((a, b) => a! - b!)).toEqual(theirs);
  });

  describe.each(types)('%s under importance', (type) => {
    test.each(Object.entries(importances))('encodes like us: %s', (_, importance) => {
      const dtype = dtypeByName(type);
      for (const [kind, row] of Object.entries(rows)) {
        const native = nativeQuantizeChunk(type, row, 1, edgeCols, importance);
        const ours = new Uint8Array(rowBytes(dtype, edgeCols));
        codecOf(dtype).encode(row, ours, edgeCols, importance);
        expect(firstDifference(ours, native, dtype.typeSize), kind).toBeUndefined();
      }
    });
  });

  for (const type of typesWithoutImportance) {
    describe(type, () => {
      const dtype = dtypeByName(type);
      for (const [kind, row] of Object.entries(rows)) {
        test(`encodes like us: ${kind}`, () => {
          const native = nativeQuantizeChunk(type, row, 1, edgeCols);
          const ours = new Uint8Array(rowBytes(dtype, edgeCols));
          codecOf(dtype).encode(row, ours, edgeCols);
          expect(firstDifference(ours, native, dtype.typeSize)).toBeUndefined();
        });
      }

      if (type === 'F32') return; // ggml has no decoder for it
      test('decodes like us', () => {
        for (const [kind, row] of Object.entries(rows)) {
          const bytes = nativeQuantizeChunk(type, row, 1, edgeCols);
          const ours = new Float32Array(edgeCols);
          codecOf(dtype).decode(bytes, ours);
          expect(ours, kind).toEqual(nativeDequantize(type, bytes, edgeCols));
        }
      });
    });
  }
});

describe.skipIf(oracleUnavailable)('ggml and the SIMD kernels', () => {
  let pool: TranscodePool;
  beforeAll(async () => {
    pool = await TranscodePool.create({ threads: 2 });
  });
  afterAll(() => pool.close());

  const encode = async (
    from: string,
    to: string,
    rows: number,
    cols: number,
    source: Uint8Array,
    importance?: Float32Array,
  ) => {
    const bytes = new Uint8Array(rows * rowBytes(dtypeByName(to), cols));
    await pool.transcode(
      { from: dtypeByName(from), to: dtypeByName(to), rows, cols, importance },
      (into, piece) => into.set(source.subarray(piece.sourceOffset, piece.sourceOffset + into.length)),
      (out, piece) => bytes.set(out, piece.targetOffset),
    );
    return bytes;
  };

  test.each(typesWithoutImportance)('%s: the matrices of a trained model', async (type) => {
    const blockSize = dtypeByName(type).blockSize;
    for (const { name, rows, cols, bytes } of matricesOf(
      new URL('../models/tiny-llama/model.safetensors', import.meta.url),
    )) {
      const values = new Float32Array(rows * cols);
      codecOf(dtypeByName('BF16')).decode(bytes, values);
      expect(cols % blockSize, name).toBe(0);
      const ours = await encode('BF16', type, rows, cols, bytes);
      const native = nativeQuantizeChunk(type, values, rows, cols);
      expect(firstDifference(ours, native, dtypeByName(type).typeSize), name).toBeUndefined();
    }
  });

  test.each(types)('%s: normal weights and floats of any exponent, without and with importance', async (type) => {
    const random = seededRandom(20);
    const normal = gaussian(random);
    const [rows, cols] = [256, 1024];
    const values = Float32Array.from({ length: rows * cols }, (_, i) => {
      // The second half of the rows: every row has its own spread of exponents, up to all of them.
      const spread = i < (rows * cols) / 2 ? 0 : (Math.floor(i / cols) % 16) * 5;
      return Math.fround(normal() * 0.02 * 2 ** ((random() - 0.5) * spread));
    });
    for (const importance of [undefined, Float32Array.from({ length: cols }, () => Math.exp(2 * normal()))]) {
      if (!importance && !typesWithoutImportance.includes(type)) continue;
      const ours = await encode('F32', type, rows, cols, new Uint8Array(values.buffer), importance);
      const native = nativeQuantizeChunk(type, values, rows, cols, importance);
      expect(firstDifference(ours, native, dtypeByName(type).typeSize)).toBeUndefined();
    }
  });

  test.each(['F16', 'BF16'] as const)('%s: any bit pattern of a float, NaN included', async (type) => {
    const random = seededRandom(21);
    const patterns = Uint32Array.from({ length: 1 << 20 }, () => random() * 2 ** 32);
    const ours = await encode('F32', type, 1024, 1024, new Uint8Array(patterns.buffer));
    const native = nativeQuantizeChunk(type, new Float32Array(patterns.buffer), 1024, 1024);
    expect(firstDifference(ours, native, 2)).toBeUndefined();
  });

  test.each(['F16', 'BF16'] as const)('%s: every pattern widens to the same bits, NaN included', async (type) => {
    const halves = new Uint8Array(Uint16Array.from({ length: 65536 }, (_, i) => i).buffer);
    const ours = await encode(type, 'F32', 64, 1024, halves);
    const native = new Uint8Array(nativeDequantize(type, halves, 65536).buffer);
    expect(firstDifference(ours, native, 4)).toBeUndefined();
  });
});

/** ggml writes families in lower case, and the K of the K-quants in upper case. */
const nativeName = (name: string) => name.toLowerCase().replace(/_k$/, '_K');
