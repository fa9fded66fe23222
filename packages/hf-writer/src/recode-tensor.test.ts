// Rounded numbers are counted against the codecs: a number is exact when it comes back from its new type.
import { codecOf, dtypeByName, rowBytes, TranscodePool } from '@quern/blocks';
import type { TensorView } from '@quern/checkpoint';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RecodeReport, recodedTensor } from './index.ts';

let pool: TranscodePool;
beforeAll(async () => {
  pool = await TranscodePool.create({ threads: 2 });
});
afterAll(() => pool.close());

const named = (name: string) => dtypeByName(name)!;

function viewOf(type: string, rows: number, cols: number, bytes: Uint8Array): TensorView {
  const dtype = named(type);
  const perRow = rowBytes(dtype, cols);
  return {
    ...{ name: 'w', dtype, shape: [rows, cols], rows, cols, rowBytes: perRow, file: 'made', offset: 0 },
    async readRows(first, count, into) {
      into.set(bytes.subarray(first * perRow, (first + count) * perRow));
    },
  };
}

async function recode(
  view: TensorView,
  to: string,
  options = {},
): Promise<{ bytes: Uint8Array; report: RecodeReport }> {
  const bytes = new Uint8Array(view.rows * rowBytes(named(to), view.cols));
  let report: RecodeReport | undefined;
  const onRecoded = (found: RecodeReport) => (report = found);
  const tensor = recodedTensor(view, named(to), pool, { ...options, onRecoded });
  await tensor.write({ write: async (piece, offset) => bytes.set(piece, offset) });
  return { bytes, report: report! };
}

/** Random bits: subnormals, huge numbers, and many that F16 and BF16 hold. */
function edgeNumbers(count: number): Float32Array {
  let state = 1;
  const next = () => (state = Math.imul(state, 1664525) + 1013904223) >>> 0;
  const bits = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const exponent = 90 + (next() % 60);
    const mantissa = (next() >>> 9) & [0x7fffff, 0x7fe000, 0x7f0000, 0x400000, 0][next() % 5]!;
    bits[i] = (((next() & 1) << 31) | ((i % 97 === 0 ? 0 : exponent) << 23) | mantissa) >>> 0;
  }
  return new Float32Array(bits.buffer);
}

test.each(['F16', 'BF16'])('numbers that %s does not hold are counted', async (to) => {
  const cols = 64;
  const values = edgeNumbers(64 * cols).map((value) => (Math.abs(value) < 65504 ? value : 1));
  const { bytes, report } = await recode(viewOf('F32', 64, cols, new Uint8Array(values.buffer)), to);
  const back = new Float32Array(values.length);
  codecOf(named(to)).decode(bytes, back);
  const changed = values.filter((value, i) => back[i] !== value).length;
  expect(report.rounded).toBe(changed);
  expect(changed).toBeGreaterThan(100);
  expect(changed).toBeLessThan(values.length);
});

test('Q8_0 becomes exactly its values in F32, and these rounded in F16', async () => {
  const values = edgeNumbers(8 * 64).map((value, i) => Math.sin(i) * (1 + Math.abs(value % 1)));
  const q8 = new Uint8Array(8 * rowBytes(named('Q8_0'), 64));
  codecOf(named('Q8_0')).encode(values, q8, 64);
  const decoded = new Float32Array(values.length);
  codecOf(named('Q8_0')).decode(q8, decoded);
  const plain = await recode(viewOf('Q8_0', 8, 64, q8), 'F32');
  expect(Buffer.compare(plain.bytes, new Uint8Array(decoded.buffer))).toBe(0);
  expect(plain.report).toMatchObject({ rounded: 0, count: 512 });

  const half = await recode(viewOf('Q8_0', 8, 64, q8), 'F16');
  const expected = new Uint8Array(8 * 128);
  codecOf(named('F16')).encode(decoded, expected, 64);
  expect(Buffer.compare(half.bytes, expected)).toBe(0);
  expect(half.report.rounded).toBeGreaterThan(0);
});

test('NaN and numbers beyond F16 are refused with their place, unless asked for', async () => {
  const values = new Float32Array(4 * 32).fill(0.5);
  values[2 * 32 + 7] = 70000;
  const large = viewOf('F32', 4, 32, new Uint8Array(values.buffer.slice(0)));
  await expect(recode(large, 'F16')).rejects.toMatchObject({ code: 'refused-f16-overflow', tensor: 'w' });
  expect((await recode(large, 'F16', { onOverflow: 'inf' })).report.rounded).toBe(1);
  await recode(large, 'BF16');

  values[3 * 32 + 1] = Number.NaN;
  const damaged = viewOf('F32', 4, 32, new Uint8Array(values.buffer));
  await expect(recode(damaged, 'BF16')).rejects.toMatchObject({
    code: 'refused-non-finite',
    message: expect.stringContaining('row 3, column 1'),
  });
  await recode(damaged, 'F32', { allowNonFinite: true });
});

test('rows too long for a piece are cut', async () => {
  const cols = 3_000_000;
  const values = Float32Array.from({ length: cols * 2 }, (_, i) => i % 4093);
  const { bytes, report } = await recode(viewOf('F32', 2, cols, new Uint8Array(values.buffer)), 'F16');
  const back = new Float32Array(values.length);
  codecOf(named('F16')).decode(bytes, back);
  expect(report.rounded).toBe(values.filter((value, i) => back[i] !== value).length);
  expect(back.at(-1)).toBe(Math.round(values.at(-1)! / 2) * 2);
  const copy = await recode(viewOf('F32', 2, cols, new Uint8Array(values.buffer)), 'F32');
  expect(Buffer.compare(copy.bytes, new Uint8Array(values.buffer))).toBe(0);
});

test('integers are copied and nothing else', async () => {
  const view = viewOf(
    'I64',
    2,
    4,
    Uint8Array.from({ length: 64 }, (_, i) => i),
  );
  expect((await recode(view, 'I64')).bytes[63]).toBe(63);
  expect(() => recodedTensor(view, named('F16'), pool)).toThrowError(/I64 cannot be decoded/);
});
