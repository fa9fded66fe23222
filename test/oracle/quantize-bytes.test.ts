// Our bytes against ggml's: reference codecs and SIMD kernels, on rows where coders are known to differ.
import { codecOf, dtypeByName, dtypes, rowBytes } from '@quern/blocks';
import { describe, expect, test } from 'vitest';
import { edgeRows } from '../../packages/blocks/src/testing/edge-rows.ts';
import { nativeDequantize, nativeQuantizeChunk, nativeTypeTraits, oracleUnavailable } from './src/index.ts';

const types = ['F32', 'F16', 'BF16', 'Q4_0', 'Q5_0', 'Q5_1', 'Q8_0', 'Q4_K', 'Q5_K', 'Q6_K'] as const;
const cols = 1024;
const rows = edgeRows(cols);

describe.skipIf(oracleUnavailable)('ggml', () => {
  test('sizes every type as our table does', () => {
    const ours = dtypes.filter((dtype) => dtype.ggmlId !== undefined);
    for (const { name, ggmlId, blockSize, typeSize } of ours) {
      expect(nativeTypeTraits(ggmlId as number), name).toEqual({ name: nativeName(name), blockSize, typeSize });
    }
    const theirs = Array.from({ length: 64 }, (_, id) => id).filter((id) => nativeTypeTraits(id));
    expect(ours.map((dtype) => dtype.ggmlId).sort((a, b) => a! - b!)).toEqual(theirs);
  });

  for (const type of types) {
    describe(type, () => {
      const dtype = dtypeByName(type);
      for (const [kind, row] of Object.entries(rows)) {
        test(`encodes like us: ${kind}`, () => {
          const native = nativeQuantizeChunk(type, row, 1, cols);
          const ours = new Uint8Array(rowBytes(dtype, cols));
          codecOf(dtype).encode(row, ours, cols);
          expect(firstDifference(ours, native, dtype.typeSize)).toBeUndefined();
        });
      }

      test.skipIf(type === 'F32')('decodes like us', () => {
        for (const [kind, row] of Object.entries(rows)) {
          const bytes = nativeQuantizeChunk(type, row, 1, cols);
          const ours = new Float32Array(cols);
          codecOf(dtype).decode(bytes, ours);
          expect(ours, kind).toEqual(nativeDequantize(type, bytes, cols));
        }
      });
    });
  }
});

/** ggml writes families in lower case, and the K of the K-quants in upper case. */
const nativeName = (name: string) => name.toLowerCase().replace(/_k$/, '_K');

/** Where two byte strings part, in words; undefined when they are equal. */
function firstDifference(ours: Uint8Array, native: Uint8Array, blockBytes: number): string | undefined {
  const at = ours.findIndex((byte, i) => byte !== native[i]);
  if (at < 0) return ours.length === native.length ? undefined : `lengths ${ours.length} and ${native.length}`;
  const count = ours.filter((byte, i) => byte !== native[i]).length;
  return `block ${Math.floor(at / blockBytes)}, byte ${at % blockBytes}: ours ${ours[at]}, ggml ${native[at]} (${count} bytes differ)`;
}
