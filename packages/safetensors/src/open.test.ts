// One case per error code of docs/formats/safetensors.md, on files made by hand here.
import { dtypes } from '@quern/blocks';
import { QuernError } from '@quern/errors';
import { memorySource } from '@quern/source';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openSafetensors } from './open.ts';

/** A file: length, header as given, `dataBytes` zeros. */
function file(header: string | Uint8Array, dataBytes: number, declared?: bigint): Uint8Array {
  const json = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, declared ?? BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}
const open = (bytes: Uint8Array) => openSafetensors(memorySource(bytes, 'test.safetensors'));
const tensor = (name: string, dtype: string, shape: unknown, offsets: unknown): string =>
  `${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: offsets })}`;

const valid = `{"__metadata__":{"format":"pt"},${tensor('b', 'BF16', [2, 3], [0, 12])}, ${tensor('0', 'F32', [], [12, 16])} } `;

test('reads names in header order, dtypes, shapes, absolute ranges and metadata', async () => {
  const { tensors, metadata, files } = await open(file(valid, 16));
  expect([...metadata]).toEqual([['format', 'pt']]);
  expect(files).toEqual(['test.safetensors']);
  const start = 8 + valid.length;
  expect(
    [...tensors.values()].map(({ name, dtype, shape, begin, end }) => [name, dtype.name, shape, begin, end]),
  ).toEqual([
    ['b', 'BF16', [2, 3], start, start + 12],
    ['0', 'F32', [], start + 12, start + 16],
  ]);
});

test('knows every safetensors dtype of the table', async () => {
  for (const { name, safetensorsName, blockSize, typeSize } of dtypes) {
    if (!safetensorsName) continue;
    const header = `{${tensor('t', safetensorsName, [3, 4 * blockSize], [0, 12 * typeSize])}}`;
    const { tensors } = await open(file(header, 12 * typeSize));
    expect(tensors.get('t')!.dtype.name).toBe(name);
  }
});

test('reads only the header', async () => {
  const bytes = file(valid, 16);
  const reads: [number, number][] = [];
  const source = memorySource(bytes);
  await openSafetensors({
    ...source,
    read(offset, length) {
      reads.push([offset, length]);
      return source.read(offset, length);
    },
  });
  expect(reads).toEqual([
    [0, 8],
    [8, valid.length],
  ]);
});

test('accepts empty files and empty tensors', async () => {
  expect((await open(file('{}', 0))).tensors.size).toBe(0);
  const empty = `{${tensor('x', 'F32', [2], [0, 8])},${tensor('e', 'F32', [0, 9e15], [8, 8])},${tensor('y', 'U8', [1], [8, 9])}}`;
  expect((await open(file(empty, 9))).tensors.size).toBe(3);
});

const one = (dtype: string, shape: unknown, offsets: unknown): string => `{${tensor('t', dtype, shape, offsets)}}`;
const encoded = (text: string): Uint8Array => new TextEncoder().encode(text);
const cases: [code: string, why: string, bytes: Uint8Array, place?: { tensor?: string; offset?: number }][] = [
  ['safetensors-truncated', 'no length', new Uint8Array(7), { offset: 0 }],
  ['safetensors-truncated', 'header longer than the file', file('{}', 0, 1000n), { offset: 0 }],
  ['safetensors-truncated', 'data missing', file(one('F32', [4], [0, 16]), 15), { tensor: 't', offset: 9 }],
  ['safetensors-header-too-large', 'absurd length', file('{}', 0, 2n ** 64n - 1n), { offset: 0 }],
  ['safetensors-header-too-large', 'one above the limit', file('{}', 0, 100_000_001n), { offset: 0 }],
  ['safetensors-not-utf8', 'latin-1', file(Uint8Array.of(0x7b, 0xff, 0x7d), 0), { offset: 8 }],
  ['safetensors-not-utf8', 'encoded surrogate', file(Uint8Array.of(0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22), 0)],
  ['safetensors-bad-json', 'not an object', file('[]', 0), { offset: 8 }],
  ['safetensors-bad-json', 'byte order mark', file('\ufeff{}', 0), { offset: 8 }],
  ['safetensors-bad-json', 'cut off', file('{"t":{"dtype":"F32"', 0), { offset: 27 }],
  ['safetensors-bad-json', 'text after the end', file('{} x', 0), { offset: 11 }],
  ['safetensors-bad-json', 'single quotes', file("{'t':1}", 0), { offset: 9 }],
  ['safetensors-bad-json', 'control character', file('{"a\nb":1}', 0), { offset: 9 }],
  ['safetensors-bad-json', 'bad escape', file('{"a\\q":1}', 0), { offset: 9 }],
  ['safetensors-bad-json', 'half a surrogate pair', file('{"\\ud800":1}', 0), { offset: 9 }],
  ['safetensors-bad-json', 'endless string', file('{"a\\', 0)],
  ['safetensors-bad-json', 'trailing comma', file(`{${tensor('t', 'U8', [], [0, 1])},}`, 1)],
  ['safetensors-bad-json', 'negative dimension', file(one('F32', [-1], [0, 4]), 4), { tensor: 't' }],
  ['safetensors-bad-json', 'fraction', file(one('F32', [1.5], [0, 4]), 4), { tensor: 't' }],
  ['safetensors-bad-json', 'exponent', file('{"t":{"dtype":"U8","shape":[1e0],"data_offsets":[0,1]}}', 1)],
  ['safetensors-bad-json', 'beyond 2^53', file(one('F32', [2 ** 53], [0, 4]), 4), { tensor: 't' }],
  ['safetensors-bad-json', 'shape of 65 dimensions', file(one('U8', Array(65).fill(1), [0, 1]), 1), { tensor: 't' }],
  ['safetensors-bad-json', 'three offsets', file(one('U8', [1], [0, 1, 1]), 1), { tensor: 't' }],
  ['safetensors-bad-json', 'tensor is no object', file('{"t":[]}', 0), { tensor: 't' }],
  ['safetensors-bad-json', 'metadata of numbers', file('{"__metadata__":{"a":1}}', 0), { offset: 29 }],
  [
    'safetensors-duplicate-name',
    'tensor',
    file(`{${tensor('ä', 'U8', [1], [0, 1])},"ä":{}}`, 1),
    { offset: 8 + encoded(`{${tensor('ä', 'U8', [1], [0, 1])},`).length },
  ],
  ['safetensors-duplicate-name', 'spelled with an escape', file(`{${tensor('a', 'U8', [1], [0, 1])},"\\u0061":{}}`, 1)],
  [
    'safetensors-duplicate-name',
    'field',
    file('{"t":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}}', 1),
    { tensor: 't' },
  ],
  ['safetensors-duplicate-name', 'metadata key', file('{"__metadata__":{"a":"1","a":"2"}}', 0)],
  [
    'safetensors-bad-entry',
    'no dtype',
    file('{"t":{"shape":[1],"data_offsets":[0,1]}}', 1),
    { tensor: 't', offset: 9 },
  ],
  ['safetensors-bad-entry', 'no shape', file('{"t":{"dtype":"U8","data_offsets":[0,1]}}', 1), { tensor: 't' }],
  ['safetensors-bad-entry', 'one offset', file(one('U8', [1], [0]), 1), { tensor: 't' }],
  ['safetensors-bad-entry', 'unknown field', file('{"t":{"stride":1}}', 1), { tensor: 't' }],
  ['safetensors-unknown-dtype', 'unknown dtype', file(one('F5', [1], [0, 1]), 1), { tensor: 't', offset: 9 }],
  ['safetensors-bad-shape', 'product overflows', file(one('F32', [2 ** 30, 2 ** 30], [0, 4]), 4), { tensor: 't' }],
  ['safetensors-bad-shape', 'half a block', file(one('F4', [3], [0, 1]), 1), { tensor: 't' }],
  ['safetensors-bad-offsets', 'backwards', file(one('U8', [1], [1, 0]), 1), { tensor: 't' }],
  ['safetensors-size-mismatch', 'too few bytes', file(one('F32', [2], [0, 4]), 4), { tensor: 't' }],
  ['safetensors-size-mismatch', 'scalar without bytes', file(one('F32', [], [0, 0]), 0), { tensor: 't' }],
  [
    'safetensors-overlap',
    'shared bytes',
    file(`{${tensor('a', 'U8', [4], [0, 4])},${tensor('b', 'U8', [4], [3, 7])}}`, 7),
    { tensor: 'b' },
  ],
  [
    'safetensors-overlap',
    'same range',
    file(`{${tensor('a', 'U8', [4], [0, 4])},${tensor('b', 'U8', [4], [0, 4])}}`, 4),
    { tensor: 'b' },
  ],
  ['safetensors-hole', 'at the start', file(one('U8', [4], [4, 8]), 8), { tensor: 't' }],
  [
    'safetensors-hole',
    'between',
    file(`{${tensor('a', 'U8', [4], [0, 4])},${tensor('b', 'U8', [4], [5, 9])}}`, 9),
    { tensor: 'b' },
  ],
  ['safetensors-trailing-data', 'rest', file(one('U8', [4], [0, 4]), 5)],
  ['safetensors-trailing-data', 'data without tensors', file('{}', 1), { offset: 10 }],
];

describe('every cause has its code, with file, tensor and offset', () => {
  test.each(cases)('%s: %s', async (code, _, bytes, place = {}) => {
    const error = await open(bytes).catch((e) => e);
    expect(error).toBeInstanceOf(QuernError);
    expect(error).toMatchObject({ code, file: 'test.safetensors', ...place });
  });
});

test('what JSON.parse takes, the header reader takes with the same names (and nothing else)', async () => {
  const name = fc.string({ unit: 'grapheme' }).filter((n) => n !== '__metadata__');
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(name), fc.constantFrom(undefined, 1, '\t'), async (names, space) => {
      const entries = names.map((n, i) => [n, { dtype: 'U8', shape: [1], data_offsets: [i, i + 1] }]);
      // `__proto__` is an ordinary tensor name.
      const json = JSON.stringify(Object.fromEntries(entries), null, space);
      const expected = Object.keys(JSON.parse(json));
      const { tensors } = await open(file(json, names.length));
      expect([...tensors.keys()]).toEqual(expected);
    }),
  );
});

test('the scanner agrees with JSON.parse on whether a text is JSON', async () => {
  const base = `{"__metadata__":{"k":"v\\u00e4\\n"},${tensor('t', 'U8', [1, 2], [0, 2])}}`;
  await fc.assert(
    fc.asyncProperty(fc.nat(base.length - 1), fc.constantFrom(...'{}[]",:0-.eE\\ \tu'), async (at, char) => {
      const text = base.slice(0, at) + char + base.slice(at + 1);
      let isJson = true;
      try {
        JSON.parse(text);
      } catch {
        isJson = false;
      }
      const error = await open(file(text, 2)).then(
        () => undefined,
        (e) => e,
      );
      if (error) expect(error).toBeInstanceOf(QuernError);
      else expect(isJson).toBe(true);
    }),
    { numRuns: 1000 },
  );
});
