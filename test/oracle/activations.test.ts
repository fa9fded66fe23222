// Activations rounded to 8 bits, compared with what llama.cpp on x86-64 makes of them before it multiplies.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { f16ToF32, roundActivations } from '@quern/blocks';
import { describe, expect, test } from 'vitest';
import { keepAlive, libraries, oracleUnavailable } from './src/library.ts';

/** Rows of every size, with zeros, ties and single outliers. */
function rowsOf(blockSize: number): Float32Array {
  let state = 7;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return Float32Array.from({ length: 400 * blockSize }, (_, i) => {
    const block = Math.floor(i / blockSize);
    const value = (random() + random() + random() - 1.5) * 2 ** ((block % 40) - 20);
    if (block % 11 === 0) return 0;
    // A largest of 63.5 makes the step 1/2, so that quarters are ties.
    if (block % 11 === 1) return i % blockSize === 9 ? 63.5 : Math.round((random() - 0.5) * 500) / 4;
    return block % 11 === 2 && i % blockSize === 3 ? value * 10 : value;
  });
}

describe.skipIf(oracleUnavailable)('rounded activations', () => {
  test('in blocks of 256 are those of quantize_row_q8_K', () => {
    const { koffi, ggmlBase } = libraries();
    const x = rowsOf(256);
    const blocks = new Uint8Array((x.length / 256) * 292);
    ggmlBase.func('void quantize_row_q8_K_ref(const float *x, void *y, int64_t k)')(x, koffi.address(blocks), x.length);
    keepAlive(blocks);
    const view = new DataView(blocks.buffer);
    const native = x.map((_, i) => {
      const at = Math.floor(i / 256) * 292;
      return view.getFloat32(at, true) * view.getInt8(at + 4 + (i % 256));
    });
    expect(roundActivations(x, 256).map((value) => value + 0)).toEqual(native.map((value) => value + 0));
  });

  test('in blocks of 32 are those of quantize_row_q8_0 with AVX2', () => {
    const { koffi, directory } = libraries();
    const name = readdirSync(directory).find((file) => /cpu-haswell.*\.so$/.test(file))!;
    const x = rowsOf(32);
    const blocks = new Uint8Array((x.length / 32) * 34);
    const quantize = koffi
      .load(join(directory, name))
      .func('void quantize_row_q8_0(const float *x, void *y, int64_t k)');
    quantize(x, koffi.address(blocks), x.length);
    keepAlive(blocks);
    const view = new DataView(blocks.buffer);
    const native = x.map((_, i) => {
      const at = Math.floor(i / 32) * 34;
      return f16ToF32(view.getUint16(at, true)) * view.getInt8(at + 2 + (i % 32));
    });
    expect(roundActivations(x, 32).map((value) => value + 0)).toEqual(native.map((value) => value + 0));
  });
});
