// The bound on memory, and what it costs: passes over the file.
import { describe, expect, it } from 'vitest';
import { columnsOf } from './columns.ts';
import { openPacked, schemeOf } from './index.ts';
import { byName, stored } from './testing/stored.ts';
import { TileCache } from './tile-cache.ts';

const bytesUpTo = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 37) & 0x3b);

describe('columns', () => {
  it('are those of the matrix, whatever the tile', async () => {
    const [rows, cols] = [70, 45];
    const values = Uint32Array.from({ length: rows * cols }, (_, i) => i * 3);
    const tensor = stored('t', 'I32', [rows, cols], new Uint8Array(values.buffer));
    for (const tileBytes of [1, 4 * rows, 4 * rows * 17, 2 ** 20]) {
      const columns = columnsOf(tensor, new TileCache({ tileBytes, cacheBytes: 3 * tileBytes }));
      for (let c = 0; c < cols; c++) {
        const expected = Uint32Array.from({ length: rows }, (_, r) => values[r * cols + c]);
        expect(await columns.column(c)).toEqual(expected);
      }
    }
  });

  it('of two-byte numbers are read in several chunks', async () => {
    const [rows, cols] = [900, 1500]; // 2.7 MB
    const values = Uint16Array.from({ length: rows * cols }, (_, i) => i);
    const tensor = stored('t', 'F16', [rows, cols], new Uint8Array(values.buffer));
    const column = await columnsOf(tensor, new TileCache()).column(1499);
    expect(column).toEqual(Uint16Array.from({ length: rows }, (_, r) => values[r * cols + 1499]));
  });
});

describe('the cache', () => {
  const tile = (fill: number) => async () => new Uint32Array(4).fill(fill);

  it('builds a tile once, for two askers at once too', async () => {
    const cache = new TileCache({ tileBytes: 16, cacheBytes: 64 });
    let built = 0;
    const build = async () => {
      built++;
      return new Uint32Array(4);
    };
    const [one, other] = await Promise.all([cache.get('a', 16, build), cache.get('a', 16, build)]);
    expect(one).toBe(other);
    await cache.get('a', 16, build);
    expect(built).toBe(1);
  });

  it('forgets what was used longest ago', async () => {
    const cache = new TileCache({ tileBytes: 16, cacheBytes: 32 });
    const first = await cache.get('a', 16, tile(1));
    await cache.get('b', 16, tile(2));
    expect(await cache.get('a', 16, tile(3))).toBe(first);
    await cache.get('c', 16, tile(4)); // takes the place of b
    expect(await cache.get('a', 16, tile(5))).toBe(first);
    expect((await cache.get('b', 16, tile(6)))[0]).toBe(6);
  });

  it('keeps no failed tile', async () => {
    const cache = new TileCache({ tileBytes: 16, cacheBytes: 16 });
    await expect(cache.get('a', 16, () => Promise.reject(new Error('disk')))).rejects.toThrow('disk');
    expect((await cache.get('a', 16, tile(7)))[0]).toBe(7);
    expect((await cache.get('a', 16, tile(8)))[0]).toBe(7);
  });
});

describe.each([
  ['awq', { quant_method: 'awq', bits: 4, group_size: 128 }, [1024, 64], 64],
  ['gptq', { quant_method: 'gptq', bits: 4, group_size: 128, sym: false }, [128, 512], 64],
] as const)('%s', (_, quantization_config, shape, zeroWords) => {
  const [rows, cols] = [512, 1024];
  const parts = () => [
    stored('m.qweight', 'I32', shape, bytesUpTo(shape[0] * shape[1] * 4)),
    stored('m.qzeros', 'I32', [cols / 128, zeroWords], bytesUpTo((cols / 128) * zeroWords * 4)),
    stored('m.scales', 'F16', [cols / 128, rows], bytesUpTo((cols / 128) * rows * 2)),
  ];

  async function readInOrder(tileBytes: number, cacheBytes: number) {
    const tensors = parts();
    const scheme = schemeOf({ quantization_config });
    const weight = scheme && (await openPacked(scheme, byName(...tensors), { tileBytes, cacheBytes })).get('m.weight');
    const values = new Float32Array(rows * cols);
    for (let row = 0; row < rows; row += 8)
      await weight?.readRows(row, 8, values.subarray(row * cols, (row + 8) * cols));
    const passes = tensors.map(({ read, rows: stored, rowBytes }) => read.bytes / (stored * rowBytes));
    return { values, passes };
  }

  it('reads the file once when rows are read in order', async () => {
    expect((await readInOrder(2 ** 25, 2 ** 26)).passes).toEqual([1, 1, 1]);
  });

  it('reads it once per tile when tiles are small, and gives the same', async () => {
    const whole = await readInOrder(2 ** 25, 2 ** 26);
    const { values, passes } = await readInOrder(2 ** 16, 3 * 2 ** 16); // codes: 2^18 bytes
    expect(passes).toEqual([4, 1, 1]);
    expect(values).toEqual(whole.values);
  });
});
