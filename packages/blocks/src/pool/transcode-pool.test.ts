// The pool against the reference codecs: every pair of types, any cut, any number of threads, and what goes wrong.
import { randomBytes } from 'node:crypto';
import { QuernError } from '@quern/errors';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codecOf, hasCodec } from '../codecs.ts';
import { type DType, dtypeByName, dtypes, rowBytes } from '../dtype.ts';
import { gaussian, seededRandom } from '../testing/edge-rows.ts';
import { SLOT_BYTES } from './pieces.ts';
import { CHUNK_WEIGHTS } from './transcode-blocks.ts';
import { TranscodePool, type TranscodeReport } from './transcode-pool.ts';

let one: TranscodePool;
let three: TranscodePool;
beforeAll(async () => {
  [one, three] = await Promise.all([TranscodePool.create({ threads: 1 }), TranscodePool.create({ threads: 3 })]);
});
afterAll(async () => {
  await Promise.all([one.close(), three.close()]);
});

const [f32, f16, bf16, q4K] = ['F32', 'F16', 'BF16', 'Q4_K'].map(dtypeByName);
const coded = dtypes.filter(hasCodec);
const targets = coded.filter((dtype) => !dtype.name.startsWith('F8') && !codecOf(dtype).needsImportance);

const weights = (count: number, seed = 7) => {
  const normal = gaussian(seededRandom(seed));
  return Float32Array.from({ length: count }, () => normal() * 0.05);
};
const encode = (dtype: DType, values: Float32Array) => {
  const bytes = new Uint8Array(rowBytes(dtype, values.length));
  const { encode, needsImportance } = codecOf(dtype);
  encode(values, bytes, values.length, needsImportance ? new Float32Array(values.length).fill(1) : undefined);
  return bytes;
};

/** Transcodes in memory; waits a little in `fill` so that pieces overtake each other. */
async function run(
  pool: TranscodePool,
  from: DType,
  to: DType,
  rows: number,
  cols: number,
  source: Uint8Array,
  importance?: Float32Array,
) {
  const target = new Uint8Array(rows * rowBytes(to, cols)).fill(0xee);
  const pieces: number[] = [];
  const report: TranscodeReport = await pool.transcode(
    { from, to, rows, cols, importance },
    async (into, piece) => {
      await new Promise((resolve) => setTimeout(resolve, (piece.row * 7) % 3));
      expect(into.length).toBe(piece.sourceBytes);
      into.set(source.subarray(piece.sourceOffset, piece.sourceOffset + into.length));
      pieces.push(piece.rows);
    },
    (out, piece) => {
      expect(out.length).toBe(piece.targetBytes);
      target.set(out, piece.targetOffset);
    },
  );
  return { target, report, pieces };
}

describe('pairs of types', () => {
  // Two rows of a chunk and a rest: how tasks are cut further is below.
  const [rows, cols] = [2, CHUNK_WEIGHTS + 256];
  const values = weights(rows * cols);
  for (const from of coded) {
    test(`${from.name} to every type`, async () => {
      const source = encode(from, values);
      const floats = new Float32Array(values.length);
      codecOf(from).decode(source, floats);
      for (const to of targets) {
        const { target } = await run(three, from, to, rows, cols, source);
        const expected = from === to ? source : encode(to, floats);
        expect(Buffer.compare(target, expected), to.name).toBe(0);
      }
    });
  }

  test('types without a codec are copied, and only copied', async () => {
    const i32 = dtypeByName('I32');
    const source = randomBytes(4000);
    expect((await run(one, i32, i32, 10, 100, source)).target).toEqual(new Uint8Array(source));
    expect(one.supports(i32, f32)).toBe(false);
    await expect(run(one, i32, f32, 10, 100, source)).rejects.toMatchObject({ code: 'transcode-unsupported' });
  });
});

describe('cuts', () => {
  test('many rows: whole rows, as many as maxRows allows, same bytes on any number of threads', async () => {
    const [rows, cols] = [3000, 1024];
    const source = encode(f32, weights(rows * cols));
    const alone = await run(one, f32, q4K, rows, cols, source);
    const together = await run(three, f32, q4K, rows, cols, source);
    expect(alone.pieces.length).toBeGreaterThan(4);
    expect(Math.max(...alone.pieces)).toBeLessThanOrEqual(one.maxRows(f32, q4K, cols));
    expect(Buffer.compare(alone.target, together.target)).toBe(0);
    const last = source.subarray(-cols * 4);
    const lastRow = new Float32Array(last.slice().buffer);
    expect(Buffer.compare(alone.target.subarray(-rowBytes(q4K, cols)), encode(q4K, lastRow))).toBe(0);
  });

  test('a row wider than a slot', async () => {
    const q8_0 = dtypeByName('Q8_0');
    const cols = (SLOT_BYTES / 4) * 2 + 256;
    const source = encode(f32, weights(2 * cols));
    const { target, pieces } = await run(three, f32, q8_0, 2, cols, source);
    expect(pieces.length).toBe(6);
    expect(one.maxRows(f32, q8_0, cols)).toBe(1);
    expect(Buffer.compare(target, encode(q8_0, new Float32Array(source.buffer)))).toBe(0);
  });

  test('no rows, no columns', async () => {
    expect((await run(one, f32, f16, 0, 32, new Uint8Array())).pieces).toEqual([]);
    expect((await run(one, f32, f16, 5, 0, new Uint8Array())).pieces).toEqual([]);
  });

  test('tasks side by side do not mix', async () => {
    const results = await Promise.all(
      [1, 2, 3, 4, 5].map(async (seed) => {
        const values = weights(200 * 256, seed);
        const { target } = await run(three, f32, q4K, 200, 256, encode(f32, values));
        return Buffer.compare(target, encode(q4K, values));
      }),
    );
    expect(results).toEqual([0, 0, 0, 0, 0]);
  });

  test('a row must be whole blocks', async () => {
    await expect(run(one, f32, q4K, 2, 255, new Uint8Array(2040))).rejects.toMatchObject({
      code: 'row-not-whole-blocks',
    });
  });
});

describe('what must not pass in silence', () => {
  const [rows, cols] = [2500, 512];

  test.each(['F32', 'F16', 'BF16', 'F8_E4M3', 'F8_E5M2'])('NaN and infinities in %s', async (name) => {
    const from = dtypeByName(name);
    const values = weights(rows * cols);
    for (const at of [2400 * cols + 511, 1111 * cols + 3, 1111 * cols + 200]) values[at] = Number.NaN;
    values[2000 * cols] = Number.POSITIVE_INFINITY;
    const source = encode(from, values);
    for (const to of [f16, bf16, f32, q4K, from]) {
      if (!one.supports(from, to)) continue;
      const { report } = await run(three, from, to, rows, cols, source);
      expect(report, to.name).toEqual({ nonFinite: 4, firstNonFinite: { row: 1111, col: 3 }, f16Overflows: 0 });
    }
  });

  test('what F16 cannot hold', async () => {
    const values = weights(rows * cols);
    values[5] = 65519; // rounds to 65504
    values[6] = 65520; // rounds to infinity
    values[700_000] = -1e9;
    expect((await run(three, f32, f16, rows, cols, encode(f32, values))).report).toEqual({
      nonFinite: 0,
      f16Overflows: 2,
    });
    expect((await run(three, f32, bf16, rows, cols, encode(f32, values))).report).toEqual({
      nonFinite: 0,
      f16Overflows: 0,
    });
    const narrow = encode(bf16, values); // 65519 and 65520 both become 65536
    expect((await run(three, bf16, f16, rows, cols, narrow)).report).toEqual({ nonFinite: 0, f16Overflows: 3 });
    const mixed = values.slice();
    mixed[7] = Number.NaN;
    const { report } = await run(three, f32, f16, rows, cols, encode(f32, mixed));
    expect(report).toEqual({ nonFinite: 1, firstNonFinite: { row: 0, col: 7 }, f16Overflows: 2 });
  });

  test.each(['Q8_0', 'Q4_0', 'Q4_K', 'Q6_K'])('what the F16 scale of a %s block cannot hold', async (name) => {
    const to = dtypeByName(name);
    const values = weights(rows * cols);
    values[12_345] = 1e12;
    const { report } = await run(one, f32, to, rows, cols, encode(f32, values));
    expect(report).toEqual({ nonFinite: 0, f16Overflows: to.blockSize });
    values[12_345] = 1e5;
    expect((await run(one, f32, to, rows, cols, encode(f32, values))).report.f16Overflows).toBe(0);
  });
});

describe('importance', () => {
  const importanceOf = (cols: number) => Float32Array.from(weights(cols, 11), (value) => Math.abs(value));
  const encodeWeighted = (dtype: DType, values: Float32Array, importance: Float32Array) => {
    const bytes = new Uint8Array(rowBytes(dtype, values.length));
    codecOf(dtype).encode(values, bytes, importance.length, importance);
    return bytes;
  };

  test.each(coded.filter((dtype) => codecOf(dtype).weighting).map((dtype) => dtype.name))('%s', async (name) => {
    const to = dtypeByName(name);
    // More than a chunk, and not a multiple of it; with blocks of 32 an odd number of them.
    const [rows, cols] = [3, to.blockSize === 32 ? 5 * 1024 + 32 : 5 * 1024 + 256];
    const importance = importanceOf(cols);
    for (const from of [f32, bf16]) {
      const source = encode(from, weights(rows * cols));
      const values = new Float32Array(rows * cols);
      codecOf(from).decode(source, values);
      const { target } = await run(three, from, to, rows, cols, source, importance);
      expect(Buffer.compare(target, encodeWeighted(to, values, importance)), from.name).toBe(0);
    }
  });

  test('types that ignore it', async () => {
    const source = encode(f32, weights(4 * 256));
    for (const to of [f16, dtypeByName('Q8_0')]) {
      const { target } = await run(one, f32, to, 4, 256, source, importanceOf(256));
      expect(target, to.name).toEqual(encode(to, new Float32Array(source.buffer)));
    }
  });

  test('parts of a row take the importance of their columns', async () => {
    const q6K = dtypeByName('Q6_K');
    const cols = SLOT_BYTES / 4 + 512;
    const importance = importanceOf(cols);
    const source = encode(bf16, weights(cols));
    const values = new Float32Array(cols);
    codecOf(bf16).decode(source, values);
    const { target, pieces } = await run(one, bf16, q6K, 1, cols, source, importance);
    expect(pieces.length).toBe(2);
    expect(Buffer.compare(target, encodeWeighted(q6K, values, importance))).toBe(0);
    const q4_0 = dtypeByName('Q4_0'); // needs the whole row
    await expect(run(one, bf16, q4_0, 1, cols, source, importance)).rejects.toMatchObject({ code: 'row-too-wide' });
  });

  test('what is no importance', async () => {
    const source = encode(f32, weights(512));
    const refused = (importance: Float32Array, code: string) =>
      expect(run(one, f32, q4K, 1, 512, source, importance)).rejects.toMatchObject({ code });
    await refused(importanceOf(256), 'importance-size-mismatch');
    await refused(importanceOf(512).fill(-1, 300, 301), 'importance-not-a-weight');
    await refused(importanceOf(512).fill(Number.NaN, 300, 301), 'importance-not-a-weight');
    await refused(importanceOf(512).fill(Number.POSITIVE_INFINITY, 0, 1), 'importance-not-a-weight');
  });
});

describe('failures', () => {
  test('an error of fill or drain comes out, nothing runs afterwards, and the pool goes on', async () => {
    let running = 0;
    let begun = 0;
    const task = { from: f32, to: q4K, rows: 4000, cols: 1024 };
    const slow = async () => {
      running++;
      begun++;
      await new Promise((resolve) => setTimeout(resolve, 5));
      running--;
    };
    await expect(
      three.transcode(task, slow, async (_, piece) => {
        await slow();
        if (piece.row > 0) throw new Error('the disk is full');
      }),
    ).rejects.toThrow('the disk is full');
    expect(running).toBe(0);
    const before = begun;
    const values = weights(1024);
    expect(Buffer.compare((await run(three, f32, q4K, 1, 1024, encode(f32, values))).target, encode(q4K, values))).toBe(
      0,
    );
    // All threads have answered since.
    expect([begun, running]).toEqual([before, 0]);
  });

  test('a thread that dies takes the pool with it, and everybody hears of it', async () => {
    const pool = await TranscodePool.create({ threads: 2 });
    const unknown: DType = { name: 'NO_SUCH_TYPE', blockSize: 1, typeSize: 1 };
    const dead = { code: 'transcode-worker-died' };
    const source = encode(f32, weights(4000 * 1024));
    const dying = expect(run(pool, unknown, unknown, 1, 1, new Uint8Array(1))).rejects.toMatchObject(dead);
    const others = [1, 2, 3].map(() => expect(run(pool, f32, q4K, 4000, 1024, source)).rejects.toMatchObject(dead));
    await dying;
    await Promise.all(others);
    await expect(run(pool, f32, q4K, 1, 256, source)).rejects.toMatchObject(dead);
    await pool.close();
  });

  test('closing rejects what is under way', async () => {
    const pool = await TranscodePool.create({ threads: 2 });
    const source = encode(f32, weights(256));
    // Under way for certain: its first piece is being filled, until the pool has been told to close.
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    let begin = (): void => {};
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const fill = async (): Promise<void> => {
      begin();
      await held;
    };
    const work = pool.transcode({ from: f32, to: q4K, rows: 4000, cols: 1024 }, fill, async () => {});
    const task = expect(work).rejects.toMatchObject({ code: 'transcode-pool-closed' });
    await begun;
    const closed = pool.close();
    release();
    await closed;
    await task;
    await expect(run(pool, f32, q4K, 1, 256, source)).rejects.toBeInstanceOf(QuernError);
  });

  test('no threads', async () => {
    await expect(TranscodePool.create({ threads: 0 })).rejects.toMatchObject({ code: 'thread-count' });
  });
});
