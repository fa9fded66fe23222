// Files that are made to do harm, each with the code that it must be refused with.
import { memorySource } from '@quern/source';
import { deflateSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { openTorch } from './open.ts';
import { unpickle } from './pickle/unpickle.ts';
import { type Packed, zipArchive } from './testing/zip-archive.ts';
import { crc32 } from './zip/crc32.ts';

const text = (...parts: (string | number | number[])[]): Buffer =>
  Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from([part].flat()))),
  );
const u32 = (value: number) => [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, (value >>> 24) & 0xff];
const str = (value: string) => text('X', u32(value.length), value);

interface Tensor {
  type?: string;
  key?: string;
  length?: number;
  offset?: number;
  shape?: number[];
  strides?: number[];
}

const int = (value: number) => text('J', u32(value));
const tuple = (values: readonly number[]) => Buffer.concat([text('('), ...values.map(int), text('t')]);

/** The pickle of {'w': a tensor}, 2 × 3 numbers of F32 unless told otherwise. */
function pickle(tensor: Tensor = {}): Buffer {
  const { type = 'torch\nFloatStorage\n', key = '0', length = 6, offset = 0 } = tensor;
  const { shape = [2, 3], strides = [3, 1] } = tensor;
  return Buffer.concat([
    text([0x80, 2], '}(', str('w').toString('latin1')),
    text('ctorch._utils\n_rebuild_tensor_v2\n('),
    text('(', str('storage').toString('latin1'), `c${type}`, str(key).toString('latin1')),
    text(str('cpu').toString('latin1'), int(length).toString('latin1'), 'tQ'),
    int(offset),
    tuple(shape),
    tuple(strides),
    text([0x89], 'ccollections\nOrderedDict\n)RtRu.'),
  ]);
}

const numbers = Buffer.from(Float32Array.of(1, 2, 3, 4, 5, 6).buffer);
const entries = (pkl: Uint8Array, storage: Partial<Packed> = {}): Packed[] => [
  { name: 'm/data.pkl', bytes: pkl },
  { name: 'm/data/0', bytes: numbers, ...storage },
];

async function read(file: Uint8Array): Promise<Uint8Array> {
  const { tensors } = await openTorch(memorySource(file, 'x.bin'));
  const { source, begin, end } = tensors.get('w')!;
  return source.read(begin, end - begin);
}

describe('the archive', () => {
  it.each([{ zip64: false }, { zip64: true }])('is read when it is honest %o', async (options) => {
    expect(Buffer.from(await read(zipArchive(entries(pickle()), options)))).toEqual(numbers);
  });

  const deflated = Buffer.from(deflateSync(numbers));
  const crc = crc32(numbers);
  it('is read when it is deflated', async () => {
    const storage = { bytes: deflated, method: 8, inflatedBytes: numbers.length, crc };
    expect(Buffer.from(await read(zipArchive(entries(pickle(), storage))))).toEqual(numbers);
  });

  it.each<[string, Packed[], string]>([
    [
      'an entry that inflates to more than it claims',
      entries(pickle(), { bytes: deflateSync(Buffer.concat([numbers, numbers])), method: 8, inflatedBytes: 24 }),
      'zip-bad-data',
    ],
    [
      'an entry that cannot inflate to what it claims',
      entries(pickle(), { bytes: deflated, method: 8, inflatedBytes: 2 ** 29 }),
      'zip-bad-data',
    ],
    [
      'an entry of another checksum',
      entries(pickle(), { bytes: deflated, method: 8, inflatedBytes: 24, crc: 7 }),
      'zip-bad-data',
    ],
    [
      'an entry that is not deflated at all',
      entries(pickle(), { bytes: Buffer.alloc(24, 0xff), method: 8 }),
      'zip-bad-data',
    ],
    [
      'a bomb: 3 GiB of zeros',
      entries(pickle(), { bytes: deflated, method: 8, inflatedBytes: 3 * 2 ** 30 }),
      'zip-too-large',
    ],
    ['an unknown compression', entries(pickle(), { method: 93 }), 'zip-unsupported'],
    ['an encrypted entry', entries(pickle(), { flags: 1 }), 'zip-unsupported'],
    ['two sizes of a stored entry', entries(pickle(), { inflatedBytes: 25 }), 'zip-bad-directory'],
    ['a header outside the file', entries(pickle(), { header: 1e6 }), 'zip-bad-directory'],
    ['a header that is none', entries(pickle(), { header: 7 }), 'zip-bad-directory'],
    [
      'two entries in one place',
      [...entries(pickle()), { name: 'm/data/1', bytes: numbers, header: 0 }],
      'zip-overlap',
    ],
    ['two entries of one name', [...entries(pickle()), ...entries(pickle())], 'zip-duplicate-name'],
    ['no pickle', entries(pickle()).slice(1), 'torch-not-recognized'],
    ['code of TorchScript', [...entries(pickle()), { name: 'm/constants.pkl', bytes: numbers }], 'torch-unsupported'],
    ['another byte order', [...entries(pickle()), { name: 'm/byteorder', bytes: text('big') }], 'torch-unsupported'],
    ['no storage', entries(pickle()).slice(0, 1), 'torch-missing-storage'],
    ['half a storage', entries(pickle(), { bytes: numbers.subarray(0, 12) }), 'torch-truncated'],
    ['half a pickle', entries(pickle().subarray(0, 40)), 'torch-truncated'],
  ])('is refused with %s', async (_, archive, code) => {
    await expect(read(zipArchive(archive))).rejects.toMatchObject({ code, file: 'x.bin' });
  });
});

describe('a tensor', () => {
  it.each<[string, Tensor, string]>([
    ['beyond its storage', { shape: [3, 3] }, 'torch-bad-tensor'],
    ['that begins beyond its storage', { offset: 1 }, 'torch-bad-tensor'],
    ['with strides beyond its storage', { strides: [4, 1] }, 'torch-bad-tensor'],
    ['of negative size', { shape: [-2, 3] }, 'torch-bad-pickle'],
    ['of negative offset', { offset: -1 }, 'torch-bad-pickle'],
    ['of overflowing size', { shape: Array(20).fill(2 ** 30), strides: Array(20).fill(0) }, 'torch-bad-tensor'],
    ['with fewer strides', { strides: [1] }, 'torch-bad-pickle'],
    ['in a storage longer than its entry', { length: 2 ** 30 }, 'torch-truncated'],
    ['in a storage of a type of its own', { type: 'torch\nEvilStorage\n' }, 'torch-forbidden-global'],
    ['in a storage that leaves the archive', { key: '../../0' }, 'torch-bad-pickle'],
    ['in a storage whose type is a dict', { type: 'collections\nOrderedDict\n' }, 'torch-bad-pickle'],
  ])('%s is refused', async (_, tensor, code) => {
    await expect(read(zipArchive(entries(pickle(tensor))))).rejects.toMatchObject({ code, file: 'x.bin' });
  });
});

describe('a pickle', () => {
  const place = { file: 'x.bin', offset: 1000 };
  const run = (bytes: Uint8Array, limits?: Parameters<typeof unpickle>[2]) => () => unpickle(bytes, place, limits);

  it.each<[string, Buffer, string, number]>([
    ['calls os.system', text([0x80, 2], 'cos\nsystem\n(', 'X', u32(2), 'ls', 'tR.'), 'torch-forbidden-global', 2],
    ['calls eval', text([0x80, 2], 'cbuiltins\neval\n', '.'), 'torch-forbidden-global', 2],
    ['takes a step aside', text([0x80, 2], 'ctorch\nFloatStorage.__class__\n', '.'), 'torch-forbidden-global', 2],
    [
      'calls os.system by STACK_GLOBAL',
      text([0x80, 4], [0x8c, 2], 'os', [0x8c, 6], 'system', [0x93], '.'),
      'torch-forbidden-global',
      14,
    ],
    ['makes an instance with INST', text([0x80, 2], '(ios\nsystem\n.'), 'torch-forbidden-opcode', 3],
    ['makes an instance with OBJ', text([0x80, 2], '(o.'), 'torch-forbidden-opcode', 3],
    ['makes an instance with NEWOBJ', text([0x80, 2], '}', [0x81], '.'), 'torch-forbidden-opcode', 3],
    ['uses an extension', text([0x80, 2], [0x82, 1], '.'), 'torch-forbidden-opcode', 2],
    ['sets attributes of a list', text([0x80, 2], ']}b.'), 'torch-forbidden-opcode', 4],
    ['has an opcode that is none', text([0x80, 2], [0xff], '.'), 'torch-bad-pickle', 2],
    ['is of protocol 0', text('(lp0\n.'), 'torch-forbidden-opcode', 1],
    ['pops an empty stack', text([0x80, 2], 'R'), 'torch-bad-pickle', 2],
    ['recalls nothing', text([0x80, 2], 'h\x07.'), 'torch-bad-pickle', 2],
    ['calls a storage', text([0x80, 2], 'ctorch\nFloatStorage\n)R.'), 'torch-bad-pickle', 23],
    ['names a storage that is none', text([0x80, 2], '}Q.'), 'torch-bad-pickle', 3],
    ['leaves something', text([0x80, 2], '}}.'), 'torch-bad-pickle', 4],
    ['has a text that is not UTF-8', text([0x80, 2], [0x8c, 1, 0xff], '.'), 'torch-bad-pickle', 2],
    ['claims a text of 4 GiB', text([0x80, 2], 'X', u32(-1)), 'torch-pickle-too-large', 2],
  ])('that %s is refused where it does', (_, bytes, code, at) => {
    expect(run(bytes)).toThrow(expect.objectContaining({ code, file: 'x.bin', offset: 1000 + at }));
  });

  it.each<[string, Buffer, object]>([
    ['opcodes', Buffer.concat([text([0x80, 2]), Buffer.alloc(200, 'N')]), { opcodes: 100 }],
    ['memo', text([0x80, 2], '}', ...Array.from({ length: 20 }, (_, i) => [0x71, i])), { memo: 10 }],
    ['marks', Buffer.concat([text([0x80, 2]), Buffer.alloc(300, '(')]), {}],
  ])('is refused beyond its limits: %s', (_, bytes, limit) => {
    const limits = { opcodes: 1000, memo: 100, marks: 100, stringBytes: 100, ...limit };
    expect(run(bytes, limits)).toThrow(expect.objectContaining({ code: 'torch-pickle-too-large' }));
  });

  it('that contains itself ends', () => {
    expect(run(text([0x80, 2], ']q\x00h\x00a.'))).not.toThrow();
  });
});
