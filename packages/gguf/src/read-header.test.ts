// One case per error code of docs/formats/gguf.md, on files built here byte by byte.
import { dtypes } from '@quern/blocks';
import { QuernError } from '@quern/errors';
import { memorySource, type Source } from '@quern/source';
import { describe, expect, test } from 'vitest';
import { readGgufHeader } from './index.ts';

const u8 = (...values: number[]): Uint8Array => Uint8Array.from(values);
const number = (bytes: number, write: (view: DataView) => void): Uint8Array => {
  const out = new Uint8Array(bytes);
  write(new DataView(out.buffer));
  return out;
};
const u32 = (value: number): Uint8Array => number(4, (view) => view.setUint32(0, value, true));
const u64 = (value: number | bigint): Uint8Array => number(8, (view) => view.setBigUint64(0, BigInt(value), true));
const cat = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]));
const raw = (bytes: Uint8Array): Uint8Array => cat(u64(bytes.length), bytes);
const str = (text: string): Uint8Array => raw(new TextEncoder().encode(text));
const array = (type: number, count: number | bigint, ...items: Uint8Array[]): Uint8Array =>
  cat(u32(9), u32(type), u64(count), ...items);

const head = (tensors: number | bigint, pairs: number | bigint, version = 3): Uint8Array =>
  cat(u8(0x47, 0x47, 0x55, 0x46), u32(version), u64(tensors), u64(pairs));
/** A file of metadata pairs only. */
const pairs = (...list: Uint8Array[]): Uint8Array => cat(head(0, list.length), ...list);
const pair = (key: string, ...value: Uint8Array[]): Uint8Array => cat(str(key), ...value);
/** `ne` is in file order, innermost first. */
const info = (name: string, ne: (number | bigint)[], type: number, offset: number | bigint): Uint8Array =>
  cat(str(name), u32(ne.length), ...ne.map(u64), u32(type), u64(offset));
/** A file of tensors, its header padded, then `dataBytes` zeros. */
function tensors(infos: Uint8Array[], dataBytes: number, metadata: Uint8Array[] = [], alignment = 32): Uint8Array {
  const header = cat(head(infos.length, metadata.length), ...metadata, ...infos);
  const padded = Math.ceil(header.length / alignment) * alignment;
  return cat(header, new Uint8Array(padded - header.length + dataBytes));
}
const open = (bytes: Uint8Array) => readGgufHeader(memorySource(bytes, 'test.gguf'));
const [F32, Q4_K] = [0, 12];

test('reads every value type', async () => {
  const { metadata, version } = await open(
    pairs(
      pair('u8', u32(0), u8(200)),
      pair('i8', u32(1), u8(200)),
      pair('u16', u32(2), u8(1, 255)),
      pair('i16', u32(3), u8(1, 255)),
      pair('u32', u32(4), u32(0xfffffffe)),
      pair('i32', u32(5), u32(0xfffffffe)),
      pair(
        'f32',
        u32(6),
        number(4, (view) => view.setFloat32(0, 0.1, true)),
      ),
      pair('bool', u32(7), u8(1)),
      pair('string', u32(8), str('grüße')),
      pair('u64', u32(10), u64(2n ** 64n - 1n)),
      pair('i64', u32(11), u64(2n ** 64n - 1n)),
      pair(
        'f64',
        u32(12),
        number(8, (view) => view.setFloat64(0, 0.1, true)),
      ),
      pair('list', array(2, 2, u8(1, 0), u8(2, 0))),
      pair('nested', array(9, 2, u32(8), u64(1), str('a'), u32(7), u64(0))),
    ),
  );
  expect(version).toBe(3);
  expect([...metadata].map(([key, entry]) => [key, entry.value])).toEqual([
    ['u8', 200],
    ['i8', -56],
    ['u16', 65281],
    ['i16', -255],
    ['u32', 0xfffffffe],
    ['i32', -2],
    ['f32', Math.fround(0.1)],
    ['bool', true],
    ['string', 'grüße'],
    ['u64', 2n ** 64n - 1n],
    ['i64', -1n],
    ['f64', 0.1],
    ['list', [1, 2]],
    [
      'nested',
      [
        { type: 'array', of: 'string', value: ['a'] },
        { type: 'array', of: 'bool', value: [] },
      ],
    ],
  ]);
});

test('reads version 2, reverses dimensions, and gives absolute offsets', async () => {
  const bytes = tensors([info('w', [256, 3], Q4_K, 0), info('b', [5], F32, 448), info('s', [], F32, 480)], 480 + 4);
  bytes[4] = 2;
  const { version, tensors: found, dataOffset, alignment } = await open(bytes);
  expect({ version, alignment, dataOffset }).toEqual({ version: 2, alignment: 32, dataOffset: bytes.length - 484 });
  const facts = [...found.values()].map((t) => [t.name, t.dtype.name, t.shape, t.offset - dataOffset, t.byteLength]);
  expect(facts).toEqual([
    ['w', 'Q4_K', [3, 256], 0, 432],
    ['b', 'F32', [5], 448, 20],
    ['s', 'F32', [], 480, 4],
  ]);
});

test('knows every ggml type of the table', async () => {
  for (const { name, ggmlId, blockSize, typeSize } of dtypes) {
    if (ggmlId === undefined) continue;
    const { tensors: found } = await open(tensors([info('t', [2 * blockSize, 3], ggmlId, 0)], 6 * typeSize));
    expect(found.get('t')).toMatchObject({ dtype: { name }, byteLength: 6 * typeSize });
  }
});

test('honours general.alignment, and takes tensors in any order, empty ones and missing last padding', async () => {
  const aligned = pair('general.alignment', u32(4), u32(8));
  const infos = [info('b', [3], F32, 8), info('a', [1], F32, 0), info('e', [0, 4], F32, 8)];
  for (const rest of [20, 24]) {
    const { tensors: found, alignment, dataOffset } = await open(tensors(infos, rest, [aligned], 8));
    expect([...found.keys()]).toEqual(['b', 'a', 'e']);
    expect([alignment, found.get('b')!.offset]).toEqual([8, dataOffset + 8]);
  }
});

test('token strings of any bytes are kept', async () => {
  const bytes = u8(0x61, 0x80, 0xe2, 0x82, 0xff, 0xc3, 0xa4);
  const { metadata } = await open(pairs(pair('t', u32(8), raw(bytes))));
  expect(metadata.get('t')!.value).toBe('a\udc80\udce2\udc82\udcffä');
});

const deep = (levels: number): Uint8Array =>
  cat(u32(9), ...Array.from({ length: levels }, () => cat(u32(9), u64(1))), u32(0), u64(0));
const align = (...value: Uint8Array[]): Uint8Array => pairs(pair('general.alignment', ...value));
const two = (a: Uint8Array, b: Uint8Array, data: number): Uint8Array => tensors([a, b], data);

const cases: [code: string, why: string, bytes: Uint8Array, place?: { tensor?: string; offset?: number }][] = [
  ['gguf-bad-magic', 'empty file', u8(), { offset: 0 }],
  ['gguf-bad-magic', 'other format', cat(u8(0x50, 0x4b, 3, 4), new Uint8Array(100)), { offset: 0 }],
  [
    'gguf-big-endian',
    'version 3, swapped',
    cat(u8(0x47, 0x47, 0x55, 0x46, 0, 0, 0, 3), new Uint8Array(16)),
    { offset: 4 },
  ],
  ['gguf-unsupported-version', 'version 1', head(0, 0, 1), { offset: 4 }],
  ['gguf-unsupported-version', 'version 4', head(0, 0, 4), { offset: 4 }],
  ['gguf-unsupported-version', 'version 0', head(0, 0, 0), { offset: 4 }],
  ['gguf-bad-count', 'tensors', head(2n ** 63n, 0), { offset: 8 }],
  ['gguf-bad-count', 'pairs', cat(head(0, 2), new Uint8Array(3)), { offset: 16 }],
  ['gguf-truncated', 'inside the preamble', head(0, 0).slice(0, 20), { offset: 16 }],
  ['gguf-truncated', 'inside a key', pairs(cat(u64(1000), new Uint8Array(6))), { offset: 32 }],
  ['gguf-truncated', 'inside a string', pairs(pair('k', u32(8), u64(1000), new Uint8Array(9)))],
  ['gguf-truncated', 'array longer than the file', pairs(pair('k', array(4, 2n ** 62n)))],
  ['gguf-truncated', 'strings longer than the file', pairs(pair('k', array(8, 10, str('a'))))],
  ['gguf-truncated', 'nested arrays longer than the file', pairs(pair('k', array(9, 10, u32(0), u64(0))))],
  ['gguf-truncated', 'tensor data missing', tensors([info('t', [9], F32, 0)], 35), { tensor: 't', offset: 24 }],
  [
    'gguf-truncated',
    'offset beyond the file',
    two(info('a', [8], F32, 0), info('t', [8], F32, 32), 32),
    { tensor: 't' },
  ],
  ['gguf-truncated', 'tensor infos without data section', cat(head(1, 0), info('t', [1], F32, 0)), { tensor: 't' }],
  ['gguf-empty-key', 'no name', pairs(pair('', u32(7), u8(1)), pair('k', u32(7), u8(1))), { offset: 24 }],
  ['gguf-name-too-long', 'key', pairs(pair('k'.repeat(65536), u32(7), u8(1))), { offset: 24 }],
  ['gguf-name-too-long', 'tensor name', tensors([info('k'.repeat(65536), [1], F32, 0)], 4), { offset: 24 }],
  ['gguf-name-not-utf8', 'key', pairs(cat(raw(u8(0xff)), u32(4), u32(1))), { offset: 24 }],
  ['gguf-name-not-utf8', 'tensor name', tensors([cat(raw(u8(0x80)), u32(0), u32(F32), u64(0))], 4), { offset: 24 }],
  ['gguf-duplicate-key', 'twice', pairs(pair('k', u32(7), u8(1)), pair('k', u32(7), u8(0))), { offset: 38 }],
  ['gguf-unknown-value-type', 'value', pairs(pair('k', u32(13), u8(1)))],
  ['gguf-unknown-value-type', 'element', pairs(pair('k', array(99, 1, u8(1))))],
  ['gguf-array-too-deep', 'nine levels', pairs(pair('k', deep(9)))],
  ['gguf-array-too-deep', 'very deep', pairs(pair('k', deep(10_000)))],
  ['gguf-bad-bool', 'two', pairs(pair('k', u32(7), u8(2))), { offset: 37 }],
  ['gguf-bad-alignment', 'zero', align(u32(4), u32(0))],
  ['gguf-bad-alignment', 'no power of two', align(u32(4), u32(48))],
  ['gguf-bad-alignment', 'absurd', align(u32(4), u32(2 ** 31))],
  ['gguf-bad-alignment', 'other type', align(u32(10), u64(32))],
  [
    'gguf-duplicate-tensor',
    'twice',
    two(info('t', [8], F32, 0), info('t', [8], F32, 32), 64),
    { tensor: 't', offset: 57 },
  ],
  ['gguf-too-many-dims', 'five', tensors([info('t', [1, 1, 1, 1, 1], F32, 0)], 4), { tensor: 't' }],
  ['gguf-unknown-type', 'unknown', tensors([info('t', [32], 999, 0)], 32), { tensor: 't' }],
  ['gguf-unknown-type', 'removed', tensors([info('t', [32], 4, 0)], 32), { tensor: 't' }],
  ['gguf-shape-overflow', 'product', tensors([info('t', [2n ** 40n, 2n ** 40n], F32, 0)], 32), { tensor: 't' }],
  ['gguf-shape-overflow', 'dimension', tensors([info('t', [2n ** 63n], F32, 0)], 32), { tensor: 't' }],
  ['gguf-partial-block', 'rows of 255', tensors([info('t', [255], Q4_K, 0)], 144), { tensor: 't' }],
  ['gguf-misaligned', 'offset 4', two(info('a', [1], F32, 0), info('t', [1], F32, 4), 64), { tensor: 't' }],
  ['gguf-overlap', 'shared bytes', two(info('a', [9], F32, 0), info('t', [8], F32, 32), 64), { tensor: 't' }],
  ['gguf-overlap', 'same range', two(info('a', [8], F32, 0), info('t', [8], F32, 0), 32), { tensor: 't' }],
  ['gguf-hole', 'at the start', tensors([info('t', [8], F32, 32)], 64), { tensor: 't' }],
  ['gguf-hole', 'between', two(info('a', [8], F32, 0), info('t', [8], F32, 64), 96), { tensor: 't' }],
  ['gguf-hole', 'far away', two(info('a', [8], F32, 0), info('t', [8], F32, 2n ** 62n), 64), { tensor: 't' }],
  ['gguf-trailing-data', 'after the last tensor', tensors([info('t', [8], F32, 0)], 33)],
  ['gguf-trailing-data', 'after metadata', cat(pairs(pair('k', u32(7), u8(1))), new Uint8Array(64))],
];

describe('every cause has its code, with file, tensor and offset', () => {
  test.each(cases)('%s: %s', async (code, _, bytes, place = {}) => {
    const error = await open(bytes).catch((e) => e);
    expect(error).toBeInstanceOf(QuernError);
    expect(error).toMatchObject({ code, file: 'test.gguf', ...place });
  });
});

/** Zeros, with `parts` laid over them; its size may be far more than memory. Counts what is read. */
function sparseSource(size: number, parts: { at: number; bytes: Uint8Array }[]): Source & { bytesRead: number } {
  const source = {
    name: 'sparse.gguf',
    size,
    bytesRead: 0,
    async readInto(target: Uint8Array, offset: number) {
      source.bytesRead += target.length;
      target.fill(0);
      for (const { at, bytes } of parts) {
        const begin = Math.max(at, offset);
        const end = Math.min(at + bytes.length, offset + target.length);
        if (begin < end) target.set(bytes.subarray(begin - at, end - at), begin - offset);
      }
    },
    async read(offset: number, length: number) {
      const bytes = new Uint8Array(length);
      await source.readInto(bytes, offset);
      return bytes;
    },
    async close() {},
  };
  return source;
}

test.each([
  ['gguf-array-too-long', pair('k', array(0, 2 ** 24 + 1))],
  ['gguf-array-too-long', pair('k', array(8, 2n ** 35n))],
  ['gguf-string-too-long', pair('k', u32(8), u64(2 ** 26 + 1))],
])('%s: a file of a terabyte cannot make us read or hold it (%#)', async (code, value) => {
  const source = sparseSource(2 ** 40, [{ at: 0, bytes: cat(head(0, 1), value) }]);
  await expect(readGgufHeader(source)).rejects.toMatchObject({ code });
  expect(source.bytesRead).toBeLessThanOrEqual(2 ** 18);
});

test('gguf-header-too-large: strings of the largest size end at the cap', async () => {
  const bytes = cat(u32(8), u64(2 ** 26));
  const step = pair('a', bytes).length + 2 ** 26;
  const parts = [...'abcdefgh'].map((key, i) => ({ at: 24 + i * step, bytes: pair(key, bytes) }));
  const source = sparseSource(2 ** 40, [{ at: 0, bytes: head(0, 8) }, ...parts]);
  await expect(readGgufHeader(source)).rejects.toMatchObject({ code: 'gguf-header-too-large' });
  expect(source.bytesRead).toBeLessThan(2 ** 30);
});

test('opening a file of 128 GiB reads its header and no data', async () => {
  const infos = [info('a', [2 ** 20, 2 ** 14], F32, 0), info('b', [2 ** 20, 2 ** 14], F32, 2 ** 36)];
  const header = tensors(infos, 0);
  const source = sparseSource(header.length + 2 ** 37, [{ at: 0, bytes: header }]);
  const { tensors: found } = await readGgufHeader(source);
  expect(found.get('b')).toMatchObject({ offset: header.length + 2 ** 36, byteLength: 2 ** 36 });
  expect(source.bytesRead).toBeLessThanOrEqual(2 ** 18);
});
