import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBaseFile, openBaseFile } from './base-file.ts';
import { baseRowBytes, decodeBaseRow, encodeBaseRow } from './base-row.ts';
import { logProbsOf } from './row.ts';

const head = { contextTokens: 5, vocabSize: 7, windows: 2 };
const rowsPerWindow = 2; // positions 2 and 3 score tokens 3 and 4
let folder: string;
let good: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'quern-base-'));
  good = join(folder, 'good.kld');
  const writer = await createBaseFile(
    good,
    head,
    Int32Array.from({ length: 11 }, (_, i) => i % 7),
  );
  await writer.writeRows(
    1,
    0,
    Float32Array.from({ length: 14 }, (_, i) => Math.sin(i)),
  );
  await writer.writeRows(
    0,
    1,
    Float32Array.from({ length: 7 }, (_, i) => i),
  );
  await writer.writeRows(0, 0, new Float32Array(7));
  await writer.finish();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a row', () => {
  const logits = fc.array(fc.float({ min: -60, max: 60, noNaN: true }), { minLength: 1, maxLength: 50 });

  it('comes back within half a step, and clamped at e^-16 of the top', () => {
    fc.assert(
      fc.property(logits, (values) => {
        const row = Float32Array.from(values);
        const bytes = new Uint8Array(baseRowBytes(row.length));
        const [found, wanted] = [new Float32Array(row.length), new Float32Array(row.length)];
        encodeBaseRow(row, bytes);
        expect(decodeBaseRow(bytes, found)).toBe(true);
        logProbsOf(row, wanted);
        const top = Math.max(...wanted);
        const least = Math.max(Math.min(...wanted), top - 16);
        const step = (top - least) / 65_535;
        for (const [i, value] of wanted.entries())
          expect(Math.abs(found[i]! - Math.max(value, least))).toBeLessThan(0.51 * step + 2e-5);
      }),
    );
  });

  it('has the layout that llama.cpp reads: scale, minimum, codes', () => {
    const bytes = new Uint8Array(baseRowBytes(3));
    encodeBaseRow(Float32Array.of(0, 1, 2), bytes);
    const view = new DataView(bytes.buffer);
    expect(bytes.length).toBe(8 + 2 * 4);
    expect(view.getFloat32(0, true)).toBe(Math.fround(2 / 65_535));
    expect(view.getFloat32(4, true)).toBeCloseTo(-2 - Math.log(1 + Math.exp(-1) + Math.exp(-2)), 6);
    expect([0, 1, 2, 3].map((i) => view.getUint16(8 + 2 * i, true))).toEqual([0, 32_768, 65_535, 0]);
  });
});

describe('a base file', () => {
  it('holds its head, its tokens and its rows', async () => {
    const file = await openBaseFile(good);
    expect(file).toMatchObject(head);
    expect([...file.tokens]).toEqual([0, 1, 2, 3, 4, 5, 6, 0, 1, 2]);
    const rows: number[][] = [];
    for await (const row of file.rows(0, undefined as never)) rows.push([...row]);
    expect(rows).toHaveLength(rowsPerWindow);
    for (const value of rows[0]!) expect(value).toBeCloseTo(-Math.log(7), 6);
    expect(rows[1]![6]! - rows[1]![0]!).toBeCloseTo(6, 4);
    await file.close();
  });

  it('does not exist before it is finished', async () => {
    const path = join(folder, 'unfinished.kld');
    const writer = await createBaseFile(path, head, new Int32Array(10));
    await writer.abort();
    expect(readdirSync(folder)).toEqual(['good.kld']);
  });

  const withInt = (bytes: Buffer, offset: number, value: number): Buffer => {
    bytes.writeInt32LE(value, offset);
    return bytes;
  };
  const cases: [name: string, change: (bytes: Buffer) => Buffer, code: string, message: RegExp][] = [
    ['empty', () => Buffer.alloc(0), 'base-file-not-recognized', /no log probabilities/],
    ['of another kind', (bytes) => Buffer.from(`GGUF${bytes.subarray(4)}`), 'base-file-not-recognized', /no log prob/],
    ['cut in its head', (bytes) => bytes.subarray(0, 19), 'base-file-not-recognized', /no log prob/],
    ['cut in its rows', (bytes) => bytes.subarray(0, -1), 'base-file-truncated', /announces/],
    ['too long', (bytes) => Buffer.concat([bytes, Buffer.alloc(1)]), 'base-file-damaged', /1 bytes follow/],
    ['with a negative context', (bytes) => withInt(bytes, 8, -5), 'base-file-damaged', /context is -5/],
    ['with a context that scores nothing', (bytes) => withInt(bytes, 8, 2), 'base-file-damaged', /context is 2/],
    ['with an enormous vocabulary', (bytes) => withInt(bytes, 12, 2 ** 31 - 1), 'base-file-damaged', /vocabulary size/],
    ['with more windows than bytes', (bytes) => withInt(bytes, 16, 2 ** 31 - 1), 'base-file-truncated', /announces/],
    ['without windows', (bytes) => withInt(bytes, 16, 0), 'base-file-damaged', /number of windows is 0/],
    ['with a token out of range', (bytes) => withInt(bytes, 24, 7), 'base-file-damaged', /token 7/],
    ['with a negative token', (bytes) => withInt(bytes, 24, -1), 'base-file-damaged', /token -1/],
    ['with a scale that is no number', (bytes) => withInt(bytes, 60, -1), 'base-file-damaged', /scale or minimum/],
    ['with an infinite minimum', (bytes) => withInt(bytes, 64, 0x7f800000), 'base-file-damaged', /scale or minimum/],
  ];
  it.each(cases)('%s is refused by name', async (_, change, code, message) => {
    const path = join(folder, 'bad.kld');
    writeFileSync(path, change(Buffer.from(readFileSync(good))));
    const read = async () => {
      const file = await openBaseFile(path);
      try {
        await file.rows(0, undefined as never).next();
      } finally {
        await file.close();
      }
    };
    await expect(read()).rejects.toMatchObject({ code, message: expect.stringMatching(message), file: path });
    rmSync(path);
  });
});
