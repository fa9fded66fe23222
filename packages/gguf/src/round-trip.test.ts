// What is written is read again; and what llama.cpp wrote is written again with the same bytes.
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { dtypes } from '@quern/blocks';
import { memorySource, openFile } from '@quern/source';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type GgufMetadata, type GgufScalarType, type GgufValue, layoutGguf, readGgufHeader } from './index.ts';
import { decodeText, encodeText } from './text.ts';

const scalars: Record<GgufScalarType, fc.Arbitrary<number | bigint | boolean | string>> = {
  uint8: fc.integer({ min: 0, max: 0xff }),
  int8: fc.integer({ min: -0x80, max: 0x7f }),
  uint16: fc.integer({ min: 0, max: 0xffff }),
  int16: fc.integer({ min: -0x8000, max: 0x7fff }),
  uint32: fc.integer({ min: 0, max: 0xffffffff }),
  int32: fc.integer({ min: -0x80000000, max: 0x7fffffff }),
  float32: fc.float(),
  float64: fc.double(),
  bool: fc.boolean(),
  string: fc.oneof(fc.string({ unit: 'grapheme' }), fc.uint8Array({ maxLength: 50 }).map(decodeText)),
  uint64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  int64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
};
const types = Object.keys(scalars) as GgufScalarType[];
const { value: anyValue } = fc.letrec<{ value: GgufValue; array: GgufValue }>((tie) => ({
  value: fc.oneof(...types.map((type) => scalars[type].map((value): GgufValue => ({ type, value }))), tie('array')),
  array: fc.oneof(
    { maxDepth: 4 },
    ...types.map((of) => fc.array(scalars[of]).map((value): GgufValue => ({ type: 'array', of, value }))),
    fc.array(tie('array'), { maxLength: 3 }).map((value): GgufValue => ({ type: 'array', of: 'array', value })),
  ),
}));
const anyMetadata = fc
  .uniqueArray(fc.tuple(fc.string({ unit: 'grapheme', minLength: 1 }), anyValue), { selector: ([key]) => key })
  .map((pairs): GgufMetadata => new Map(pairs));
const anyTensors = fc.uniqueArray(
  fc.record({
    name: fc.string({ maxLength: 63 }),
    dtype: fc.constantFrom(...dtypes.filter(({ ggmlId }) => ggmlId !== undefined)),
    dims: fc.array(fc.nat(3), { maxLength: 3 }),
    blocks: fc.nat(2),
  }),
  { selector: ({ name }) => name },
);

test('any metadata and tensors come back as they were', async () => {
  const alignments = fc.constantFrom(undefined, 1, 8, 64, 4096);
  await fc.assert(
    fc.asyncProperty(anyMetadata, anyTensors, alignments, async (metadata, list, alignment) => {
      if (alignment) metadata.set('general.alignment', { type: 'uint32', value: alignment });
      const plans = list.map(({ name, dtype, dims, blocks }) => ({
        name,
        dtype,
        shape: [...dims, blocks * dtype.blockSize],
      }));
      const layout = layoutGguf(metadata, plans);
      const file = new Uint8Array(layout.fileBytes);
      file.set(layout.header);
      const read = await readGgufHeader(memorySource(file));
      expect([...read.metadata]).toEqual([...metadata]);
      expect(read.alignment).toBe(alignment ?? 32);
      expect([...read.tensors.values()].map(({ name, dtype, shape }) => ({ name, dtype, shape }))).toEqual(plans);
      for (const { name, offset, byteLength } of read.tensors.values()) {
        expect({ offset, byteLength }).toEqual(layout.tensors.get(name));
        expect(offset % read.alignment).toBe(0);
      }
    }),
  );
});

test('any bytes are a string and the same bytes again', () => {
  // Half of the bytes are continuation or lead bytes, so that real and broken sequences occur.
  const byte = fc.oneof(
    fc.integer({ min: 0, max: 255 }),
    fc.constantFrom(0x61, 0x80, 0xbf, 0xc3, 0xe2, 0xed, 0xf0, 0xf4),
  );
  const bytes = fc.array(byte).map((list) => Uint8Array.from(list));
  fc.assert(
    fc.property(bytes, (b) => {
      expect(encodeText(decodeText(b))).toEqual(b);
    }),
    { numRuns: 2000 },
  );
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (s) => {
      expect(decodeText(encodeText(s)!)).toBe(s);
    }),
  );
  for (const bad of ['\ud800', 'a\udc7f', '\udd00', '\udfff']) expect(encodeText(bad)).toBeUndefined();
});

const folders = [
  fileURLToPath(new URL('../../../test/models', import.meta.url)),
  `${process.env.QUERN_DATA ?? fileURLToPath(new URL('../../../../shared/data', import.meta.url))}/vocab`,
];

describe.each(folders)("llama.cpp's files in %s", (folder) => {
  const present = existsSync(folder);
  const names = present ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : [];
  const files = names.filter((name) => name.endsWith('.gguf'));
  if (files.length === 0) test.skip(`no GGUF files in ${folder}: set QUERN_DATA`, () => {});

  test.each(files)('%s: header and layout come back byte for byte', async (name) => {
    const source = await openFile(`${folder}/${name}`);
    const { metadata, tensors, dataOffset } = await readGgufHeader(source);
    const layout = layoutGguf(metadata, [...tensors.values()]);
    const original = await source.read(0, dataOffset);
    expect(Buffer.compare(original, layout.header)).toBe(0);
    expect(layout.fileBytes).toBe(source.size);
    for (const { name, offset, byteLength } of tensors.values()) {
      expect(layout.tensors.get(name)).toEqual({ offset, byteLength });
      // The padding behind each tensor is zero, as the writer makes it.
      const padding = await source.read(offset + byteLength, (32 - (byteLength % 32)) % 32);
      expect(padding.every((byte) => byte === 0)).toBe(true);
    }
    await source.close();
  });
});

test('a vocabulary of 256k tokens with merges is read fast and from few bytes', async () => {
  const tokens = Array.from({ length: 256_000 }, (_, i) => `Ġtoken${i.toString(36)}`);
  const merges = tokens.map((token) => `${token} ${token}`);
  const metadata: GgufMetadata = new Map([
    ['tokenizer.ggml.tokens', { type: 'array', of: 'string', value: tokens }],
    ['tokenizer.ggml.token_type', { type: 'array', of: 'int32', value: tokens.map(() => 1) }],
    ['tokenizer.ggml.scores', { type: 'array', of: 'float32', value: tokens.map(() => -1) }],
    ['tokenizer.ggml.merges', { type: 'array', of: 'string', value: merges }],
  ]);
  const { header } = layoutGguf(metadata, []);
  const memory = memorySource(header);
  let bytesRead = 0;
  const source = {
    ...memory,
    readInto(target: Uint8Array, offset: number) {
      bytesRead += target.length;
      return memory.readInto(target, offset);
    },
  };
  const start = process.cpuUsage();
  const read = await readGgufHeader(source);
  // About 0.2 s of processor time, which does not grow with what else the machine does.
  expect(process.cpuUsage(start).user).toBeLessThan(5_000_000);
  expect(bytesRead).toBeLessThan(4 * header.length);
  expect(read.metadata.get('tokenizer.ggml.merges')!.value).toEqual(merges);
});
