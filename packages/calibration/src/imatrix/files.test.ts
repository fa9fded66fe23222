// Both formats: what is written comes back, and what is damaged is refused by name.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dtypeByName } from '@quern/blocks';
import { QuernError } from '@quern/errors';
import { type GgufMetadata, GgufWriter } from '@quern/gguf';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ImportanceEntry, ImportanceMatrix } from './importance-matrix.ts';
import { openImatrix, readImatrix } from './open-imatrix.ts';
import { writeImatrix } from './write-imatrix.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'quern-imatrix-files-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = (name: string) => join(folder, name);

const sum = fc.float({ min: 0, noNaN: true, noDefaultInfinity: true });
const entry = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 9 })).chain(([matrices, width]) =>
  fc.record({
    sums: fc.array(sum, { minLength: matrices * width, maxLength: matrices * width }).map((v) => Float32Array.from(v)),
    counts: fc.array(fc.nat(9999), { minLength: matrices, maxLength: matrices }).map((v) => Float32Array.from(v)),
  }),
);
const matrix: fc.Arbitrary<ImportanceMatrix> = fc.record({
  datasets: fc.array(fc.string({ unit: 'grapheme', maxLength: 20 }), { maxLength: 3 }),
  chunkCount: fc.nat(1000),
  chunkSize: fc.integer({ min: 1, max: 4096 }),
  entries: fc
    .dictionary(fc.stringMatching(/^[a-z.0-9]{1,20}$/), entry, { minKeys: 1, maxKeys: 5, noNullPrototype: true })
    .map((object) => new Map<string, ImportanceEntry>(Object.entries(object))),
});

test('GGUF: any matrix comes back', async () => {
  await fc.assert(
    fc.asyncProperty(matrix, async (written) => {
      await writeImatrix(path('any.gguf'), written);
      const read = await readImatrix(path('any.gguf'));
      expect(Object.fromEntries(read.entries)).toEqual(Object.fromEntries(written.entries));
      expect({ ...read, entries: 0 }).toEqual({ ...written, entries: 0 });
    }),
    { numRuns: 50 },
  );
});

test('entries are read one by one, when asked for', async () => {
  const entries = new Map([
    ['a', { sums: Float32Array.of(1, 2, 3, 4), counts: Float32Array.of(1, 0) }],
    ['b', { sums: Float32Array.of(5), counts: Float32Array.of(3) }],
  ]);
  await writeImatrix(path('lazy.gguf'), { datasets: [], chunkCount: 1, chunkSize: 1, entries });
  const file = await openImatrix(path('lazy.gguf'));
  expect(file.format).toBe('gguf');
  expect(file.entries.get('a')).toEqual({ matrices: 2, length: 4 });
  expect(await file.read('a')).toEqual(entries.get('a'));
  await expect(file.read('c')).rejects.toMatchObject({ code: 'imatrix-entry-missing', tensor: 'c' });
  await file.close();
});

describe('GGUF files that are no importance matrix', () => {
  const good: [string, GgufMetadata extends Map<string, infer V> ? V : never][] = [
    ['general.type', { type: 'string', value: 'imatrix' }],
    ['imatrix.datasets', { type: 'array', of: 'string', value: [] }],
    ['imatrix.chunk_count', { type: 'uint32', value: 1 }],
    ['imatrix.chunk_size', { type: 'uint32', value: 1 }],
  ];
  type Tensor = [name: string, values: number[], shape?: number[], dtype?: string];
  const pair: Tensor[] = [
    ['w.in_sum2', [1, 2]],
    ['w.counts', [1]],
  ];

  async function write(metadata: GgufMetadata, tensors: Tensor[]): Promise<string> {
    const file = path('bad.gguf');
    const plans = tensors.map(([name, values, shape, dtype]) => ({
      name,
      dtype: dtypeByName(dtype ?? 'F32'),
      shape: shape ?? [values.length],
    }));
    const writer = await GgufWriter.create(file, { metadata, tensors: plans });
    for (const [name, values, , dtype] of tensors)
      await writer.write(name, new Uint8Array((dtype === 'I32' ? Int32Array : Float32Array).from(values).buffer));
    await writer.finish();
    return file;
  }

  test.each<[string, string | undefined, GgufMetadata, Tensor[]]>([
    [
      'imatrix-not-recognized',
      undefined,
      new Map([...good, ['general.type', { type: 'string', value: 'model' }]]),
      pair,
    ],
    ['imatrix-metadata-missing', undefined, new Map(good.slice(0, 3)), pair],
    [
      'imatrix-metadata-missing',
      undefined,
      new Map([...good, ['imatrix.datasets', { type: 'bool', value: true }]]),
      pair,
    ],
    ['imatrix-empty', undefined, new Map(good), []],
    ['imatrix-half-entry', 'w', new Map(good), pair.slice(0, 1)],
    ['imatrix-half-entry', 'w', new Map(good), pair.slice(1)],
    ['imatrix-bad-type', 'w.counts', new Map(good), [pair[0]!, ['w.counts', [1], [1], 'I32']]],
    [
      'imatrix-bad-shape',
      'w',
      new Map(good),
      [
        ['w.in_sum2', [1, 2, 3]],
        ['w.counts', [1, 1], [2, 1]],
      ],
    ],
    [
      'imatrix-bad-shape',
      'w',
      new Map(good),
      [
        ['w.in_sum2', [], [0]],
        ['w.counts', [1]],
      ],
    ],
    ['imatrix-bad-count', 'w', new Map(good), [pair[0]!, ['w.counts', [-3]]]],
    ['imatrix-bad-sum', 'w', new Map(good), [['w.in_sum2', [1, Number.NaN]], pair[1]!]],
  ])('%s (%s)', async (code, tensor, metadata, tensors) => {
    const file = await write(metadata, tensors);
    await expect(readImatrix(file)).rejects.toMatchObject({ code, tensor, file });
  });

  test('tensors that a later version may add are passed over', async () => {
    const file = await write(new Map(good), [...pair, ['w.in_sum', [7, 8]]]);
    expect([...(await readImatrix(file)).entries.keys()]).toEqual(['w']);
  });
});

describe('.dat', () => {
  // One entry "ab": 2 calls, values 4 and 6; 2 chunks of "t".
  const hex =
    '01000000' +
    '02000000' +
    '6162' +
    '02000000' +
    '02000000' +
    '00008040' +
    '0000c040' +
    '02000000' +
    '01000000' +
    '74';
  const bytes = Buffer.from(hex, 'hex');
  const read = (content: Uint8Array) => {
    writeFileSync(path('x.dat'), content);
    return readImatrix(path('x.dat'));
  };
  const changed = (offset: number, value: number) => {
    const copy = Buffer.from(bytes);
    copy.writeInt32LE(value, offset);
    return copy;
  };

  test('is read by its layout', async () => {
    const { entries, ...rest } = await read(bytes);
    expect(rest).toEqual({ datasets: ['t'], chunkCount: 2, chunkSize: 0 });
    expect([...entries]).toEqual([['ab', { sums: Float32Array.of(4, 6), counts: Float32Array.of(2) }]]);
  });

  test('is written by its layout, experts that never fired as 1, weights without a token left out', async () => {
    const entries = new Map([
      ['ab', { sums: Float32Array.of(2048, 7), counts: Float32Array.of(1024, 0) }],
      ['none', { sums: Float32Array.of(1), counts: Float32Array.of(0) }],
    ]);
    await writeImatrix(path('w.dat'), { datasets: ['t'], chunkCount: 2, chunkSize: 512, entries }, 'dat');
    const expected = Buffer.from(bytes);
    expected.writeFloatLE(4, 18); // 2048 / 1024 · 2 calls
    expected.writeFloatLE(2, 22); // 1 · 2 calls
    expect(readFileSync(path('w.dat')).equals(expected)).toBe(true);
  });

  test('may lack what follows the entries, and the number of calls', async () => {
    expect(await read(bytes.subarray(0, 26))).toMatchObject({ datasets: [], chunkCount: 0 });
    expect((await read(changed(10, 0))).entries.get('ab')!.counts).toEqual(Float32Array.of(1));
  });

  test('cut anywhere else, is refused', async () => {
    for (let length = 0; length < bytes.length; length++) {
      if (length === 26) continue;
      await expect(read(bytes.subarray(0, length)), `${length} bytes`).rejects.toMatchObject({
        code: expect.stringMatching(/^imatrix-(truncated|not-recognized)$/),
        file: path('x.dat'),
      });
    }
  });

  test.each<[string, Buffer]>([
    ['no entries', changed(0, 0)],
    ['more entries than bytes', changed(0, 2 ** 31 - 1)],
    ['a negative name length', changed(4, -1)],
    ['a name longer than the limit', changed(4, 2 ** 30)],
    ['negative calls', changed(10, -1)],
    ['no values', changed(14, 0)],
    ['more values than bytes', changed(14, 2 ** 30)],
    ['bytes after its end', Buffer.concat([bytes, Buffer.of(0)])],
    ['a name that is not UTF-8', Buffer.from(hex.replace('6162', 'c328'), 'hex')],
    ['some other file', Buffer.from('{"text": "a JSON file that is no importance matrix"}')],
  ])('%s', async (_, content) => {
    await expect(read(content)).rejects.toMatchObject({
      code: expect.stringMatching(/^imatrix-(truncated|not-recognized)$/),
    });
  });

  test('two entries of one name', async () => {
    const entryBytes = bytes.subarray(4, 26);
    const twice = Buffer.concat([Buffer.of(2, 0, 0, 0), entryBytes, entryBytes]);
    await expect(read(twice)).rejects.toMatchObject({ code: 'imatrix-duplicate-entry', tensor: 'ab' });
  });

  test('never anything but a QuernError, whatever the bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.nat(255), async (at, value) => {
        const copy = Buffer.from(bytes);
        copy[at] = value;
        await read(copy).catch((error) => expect(error).toBeInstanceOf(QuernError));
      }),
      { numRuns: 300 },
    );
  });
});
