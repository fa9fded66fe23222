// Every kernel against the reference codec of its type.
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { codecOf, hasCodec } from '../codecs.ts';
import { type DType, dtypeByName, dtypes, rowBytes } from '../dtype.ts';
import { edgeImportances, edgeRows, gaussian, seededRandom } from '../testing/edge-rows.ts';
import { compileKernels, instantiateKernels, type Kernel, type Kernels, kernelMemory } from './kernels.ts';

const SRC = 3 << 20;
const DST = 4 << 20;
const IMPORTANCE = 5 << 20;
let kernels: Kernels;
let memory: WebAssembly.Memory;

beforeAll(async () => {
  memory = kernelMemory(6 << 20);
  kernels = instantiateKernels(await compileKernels(), memory);
});

const bytesAt = (at: number, length: number) => new Uint8Array(memory.buffer, at, length);
const floatsAt = (at: number, length: number) => new Float32Array(memory.buffer, at, length);
const encodable = dtypes.filter((dtype) => hasCodec(dtype) && !dtype.name.startsWith('F8'));
const encodableAlone = encodable.filter((dtype) => !codecOf(dtype).needsImportance);

function encodeWith(kernel: Kernel, dtype: DType, values: Float32Array): Uint8Array {
  floatsAt(SRC, values.length).set(values);
  kernel(SRC, DST, values.length / dtype.blockSize);
  return bytesAt(DST, rowBytes(dtype, values.length)).slice();
}

function encodeReference(dtype: DType, values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(rowBytes(dtype, values.length));
  codecOf(dtype).encode(values, bytes, values.length);
  return bytes;
}

/** One row under importance. */
function encodeWeighted(dtype: DType, row: Float32Array, importance: Float32Array): Uint8Array {
  floatsAt(SRC, row.length).set(row);
  floatsAt(IMPORTANCE, row.length).set(importance);
  const meanSquare = Math.fround(kernels.addSquares(SRC, row.length, 0) / row.length);
  kernels.weightedEncoder(dtype)!(SRC, DST, row.length / dtype.blockSize, IMPORTANCE, meanSquare);
  return bytesAt(DST, rowBytes(dtype, row.length)).slice();
}

function encodeReferenceWeighted(dtype: DType, row: Float32Array, importance: Float32Array): Uint8Array {
  const bytes = new Uint8Array(rowBytes(dtype, row.length));
  codecOf(dtype).encode(row, bytes, row.length, importance);
  return bytes;
}

/** Any finite float by bit pattern, so that every exponent is as likely as every other. */
const finiteFloats = (length: number) =>
  fc.uint8Array({ minLength: 4 * length, maxLength: 4 * length }).map((bytes) => {
    const values = new Float32Array(bytes.slice().buffer);
    return values.map((value) => (Number.isFinite(value) ? value : 0));
  });

test('every codec has kernels', () => {
  for (const dtype of dtypes.filter(hasCodec)) expect(kernels.decoder(dtype), dtype.name).toBeTypeOf('function');
  for (const dtype of encodableAlone) expect(kernels.encoder(dtype), dtype.name).toBeTypeOf('function');
});

describe.each(encodableAlone.map((dtype) => [dtype.name, dtype] as const))('encode %s', (_, dtype) => {
  test('edge rows', () => {
    // Two blocks of 256, so that one begins where another ended.
    for (const seed of [1, 2]) {
      for (const [kind, row] of Object.entries(edgeRows(512, seed))) {
        expect(Buffer.compare(encodeWith(kernels.encoder(dtype)!, dtype, row), encodeReference(dtype, row)), kind).toBe(
          0,
        );
      }
    }
  });

  test('floats of any exponent', () => {
    fc.assert(
      fc.property(finiteFloats(256), (row) => {
        expect(Buffer.compare(encodeWith(kernels.encoder(dtype)!, dtype, row), encodeReference(dtype, row))).toBe(0);
      }),
      { numRuns: 150 },
    );
  });
});

const weighted = encodable.filter((dtype) => codecOf(dtype).weighting);

test('types that heed importance have a kernel for it, and no others', () => {
  expect(encodable.filter((dtype) => kernels.weightedEncoder(dtype))).toEqual(weighted);
});

describe.each(weighted.map((dtype) => [dtype.name, dtype] as const))('encode %s under importance', (_, dtype) => {
  test('edge rows', () => {
    const cols = dtype.blockSize === 32 ? 9 * 32 : 2 * 256; // nine blocks: eight side by side and one left
    for (const [rowKind, row] of Object.entries(edgeRows(cols))) {
      for (const [kind, importance] of Object.entries(edgeImportances(cols))) {
        const ours = encodeWeighted(dtype, row, importance);
        expect(Buffer.compare(ours, encodeReferenceWeighted(dtype, row, importance)), `${rowKind}, ${kind}`).toBe(0);
      }
    }
  });

  test('floats of any exponent', () => {
    const cols = 5 * 256; // four blocks side by side and one left
    fc.assert(
      fc.property(finiteFloats(cols), finiteFloats(cols), (row, signed) => {
        const importance = signed.map(Math.abs);
        const ours = encodeWeighted(dtype, row, importance);
        expect(Buffer.compare(ours, encodeReferenceWeighted(dtype, row, importance))).toBe(0);
      }),
      { numRuns: 20 },
    );
  });

  // Sparse rows of which one weight counts: seeds at which the fit to it puts the minimum of some type so far from the other
  // weights that their codes leave the range of nearest_int.
  test.each([151, 570, 608, 1299, 1466, 1987])('a fit that loses sight of the weights, seed %i', (seed) => {
    const random = seededRandom(seed);
    const normal = gaussian(random);
    const row = Float32Array.from({ length: 512 }, () => (random() < 0.9 ? 0 : normal()));
    const importance = Float32Array.from(row, () => 10 ** (24 * random() - 12));
    expect(encodeWeighted(dtype, row, importance)).toEqual(encodeReferenceWeighted(dtype, row, importance));
  });
});

describe.each(dtypes.filter(hasCodec).map((dtype) => [dtype.name, dtype] as const))('decode %s', (_, dtype) => {
  test('any bytes', () => {
    const length = dtype.typeSize * 8;
    fc.assert(
      fc.property(fc.uint8Array({ minLength: length, maxLength: length }), (bytes) => {
        bytesAt(SRC, length).set(bytes);
        const expected = new Float32Array(8 * dtype.blockSize);
        codecOf(dtype).decode(bytes, expected);
        kernels.decoder(dtype)!(SRC, DST, 8);
        const decoded = floatsAt(DST, expected.length);
        // Any NaN is as good as another; toEqual of typed arrays would take most of the time.
        expect(decoded.findIndex((value, i) => !Object.is(value, expected[i]))).toBe(-1);
      }),
      { numRuns: 150 },
    );
  });
});

describe('narrow floats', () => {
  const halves = Uint16Array.from({ length: 65536 }, (_, i) => i);
  const halfBytes = new Uint8Array(halves.buffer);

  test.each(['F16', 'BF16'])('every %s pattern widens like the reference', (name) => {
    const expected = new Float32Array(65536);
    codecOf(dtypeByName(name)).decode(halfBytes, expected);
    bytesAt(SRC, halfBytes.length).set(halfBytes);
    kernels.decoder(dtypeByName(name))!(SRC, DST, 65536);
    expect(floatsAt(DST, 65536)).toEqual(expected);
  });

  test('every BF16 becomes F16 directly as it does by way of F32', () => {
    const [bf16, f16] = [dtypeByName('BF16'), dtypeByName('F16')];
    const values = new Float32Array(65536);
    codecOf(bf16).decode(halfBytes, values);
    const expected = new Uint8Array(131072);
    codecOf(f16).encode(values, expected, 65536);
    for (const first of [0, 3]) {
      // From 3 on, vectors mix other neighbours and the tail is uneven.
      bytesAt(SRC, halfBytes.length).set(halfBytes);
      kernels.converter(bf16, f16)!(SRC + 2 * first, DST, 65536 - first);
      expect(Buffer.compare(bytesAt(DST, 131072 - 2 * first), expected.subarray(2 * first))).toBe(0);
    }
  });

  test.each(['F16', 'BF16'])('NaN and infinities become %s as in the reference', (name) => {
    const patterns = [0x7f800000, 0xff800000, 0x7fc00000, 0xffc00000, 0x7f800001, 0xff812345, 0x7fffffff];
    const rowOfPatterns = Uint32Array.from({ length: 24 }, (_, i) => patterns[i % patterns.length]);
    bytesAt(SRC, 96).set(new Uint8Array(rowOfPatterns.buffer));
    kernels.encoder(dtypeByName(name))!(SRC, DST, 24);
    const halfs = new Uint16Array(memory.buffer, DST, 24);
    const isNan = (bits: number) => (name === 'F16' ? (bits & 0x7fff) === 0x7e00 : (bits & 0x7fc0) === 0x7fc0);
    for (const [i, pattern] of rowOfPatterns.entries()) {
      const infinite = (pattern & 0x7fffffff) === 0x7f800000;
      expect(halfs[i] >> 15).toBe(pattern >>> 31);
      if (infinite) expect(halfs[i] & 0x7fff).toBe(name === 'F16' ? 0x7c00 : 0x7f80);
      else expect(isNan(halfs[i])).toBe(true);
    }
  });
});

describe('scans', () => {
  test('find the largest two-byte magnitude, wherever it is', () => {
    for (let length = 1; length < 70; length++) {
      const values = new Uint16Array(memory.buffer, SRC, length).fill(0x8123);
      expect(kernels.largestMagnitude16(SRC, length)).toBe(0x0123);
      values[(length * 7) % length || length >> 1] = 0xff81;
      expect(kernels.largestMagnitude16(SRC, length)).toBe(0x7f81);
    }
  });

  test('find what is not finite, wherever it is', () => {
    for (let length = 1; length < 70; length++) {
      for (const [bad, bits] of [
        [Number.NaN, 0x7fc00000],
        [Number.NEGATIVE_INFINITY, 0x7f800000],
      ] as const) {
        const values = floatsAt(SRC, length).fill(-1.5);
        expect(kernels.largestMagnitude(SRC, length)).toBe(0x3fc00000);
        expect(kernels.firstNonFinite(SRC, length)).toBe(length);
        const at = (length * 7) % length || length >> 1;
        values[at] = bad;
        expect(kernels.largestMagnitude(SRC, length)).toBe(bits);
        expect(kernels.countNonFinite(SRC, length)).toBe(1);
        expect(kernels.firstNonFinite(SRC, length)).toBe(at);
      }
    }
  });
});
