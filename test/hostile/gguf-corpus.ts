// Damaged GGUF files, each made from a good one by one deliberate change, with the code it must lead to.
import { type GgufHeader, layoutGguf, readGgufHeader } from '@quern/gguf';
import { memorySource } from '@quern/source';

export interface Hostile {
  readonly name: string;
  readonly code: string;
  readonly bytes: Uint8Array;
}

/** A tensor info as it will be written; every field may lie. */
interface Info {
  name: Uint8Array;
  nameBytes?: bigint;
  dims?: number;
  /** Innermost first, as in the file. */
  ne: bigint[];
  type: number;
  offset: bigint;
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const u32 = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);
const u64 = (value: bigint): Uint8Array => new Uint8Array(BigUint64Array.of(value).buffer);
export function concat(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** The file again, with its tensor infos, data or metadata bytes changed. */
function rebuild(
  good: Uint8Array,
  header: GgufHeader,
  change: { infos?: (infos: Info[]) => void; data?: (data: Uint8Array) => Uint8Array; extraPair?: Uint8Array },
): Uint8Array {
  const infos = [...header.tensors.values()].map(
    ({ name, shape, dtype, offset }): Info => ({
      name: text(name),
      ne: shape.map(BigInt).reverse(),
      type: dtype.ggmlId!,
      offset: BigInt(offset - header.dataOffset),
    }),
  );
  change.infos?.(infos);
  const metadata = layoutGguf(header.metadata, []).header;
  const view = new DataView(metadata.buffer);
  view.setBigUint64(8, BigInt(infos.length), true);
  if (change.extraPair) view.setBigUint64(16, BigInt(header.metadata.size + 1), true);
  const parts = infos.flatMap(({ name, nameBytes, dims, ne, type, offset }) => [
    u64(nameBytes ?? BigInt(name.length)),
    name,
    u32(dims ?? ne.length),
    ...ne.map(u64),
    u32(type),
    u64(offset),
  ]);
  const head = concat(metadata, change.extraPair ?? new Uint8Array(0), ...parts);
  const padding = new Uint8Array((header.alignment - (head.length % header.alignment)) % header.alignment);
  const data = good.subarray(header.dataOffset);
  return concat(head, padding, change.data ? change.data(data) : data);
}

/** @param good a GGUF file with at least three tensors, the first ones of more than 32 bytes */
export async function ggufCorpus(good: Uint8Array): Promise<Hostile[]> {
  const header = await readGgufHeader(memorySource(good));
  const { dataOffset } = header;
  const patched = (at: number, bytes: Uint8Array): Uint8Array => {
    const copy = good.slice();
    copy.set(bytes, at);
    return copy;
  };
  const infos = (change: (infos: Info[]) => void): Uint8Array => rebuild(good, header, { infos: change });
  const firstKey = [...header.metadata.keys()][0]!;
  const pair = (key: Uint8Array): Uint8Array => concat(u64(BigInt(key.length)), key, u32(7), Uint8Array.of(1));
  const withPair = (extraPair: Uint8Array): Uint8Array => rebuild(good, header, { extraPair });
  const huge = [2n ** 63n - 1n, 2n ** 64n - 1n, 2n ** 60n];

  const files: [name: string, code: string, bytes: Uint8Array][] = [
    ['unchanged', 'open', infos(() => {})],
    ['cut inside the header', 'gguf-truncated', good.slice(0, dataOffset >> 1)],
    ['cut at the data section', 'gguf-truncated', good.slice(0, dataOffset)],
    ['cut inside the data', 'gguf-truncated', good.slice(0, good.length - 64)],
    ['overlap: two tensors at one place', 'gguf-overlap', infos(([, second]) => (second!.offset = 0n))],
    ['overlap: second begins inside the first', 'gguf-overlap', infos(([, second]) => (second!.offset = 32n))],
    [
      'hole: everything after the first tensor moved',
      'gguf-hole',
      rebuild(good, header, {
        infos: (list) => {
          for (const info of list.slice(1)) info.offset += 64n;
        },
        data: (data) => {
          const cut = [...header.tensors.values()][1]!.offset - dataOffset;
          return concat(data.subarray(0, cut), new Uint8Array(64), data.subarray(cut));
        },
      }),
    ],
    ['hole: a tensor not listed', 'gguf-hole', infos((list) => list.splice(1, 1))],
    ['trailing bytes', 'gguf-trailing-data', concat(good, new Uint8Array(64))],
    ['last tensor not listed', 'gguf-trailing-data', infos((list) => list.pop())],
    ['offset not aligned', 'gguf-misaligned', infos(([first]) => (first!.offset = 1n))],
    ['same tensor name twice', 'gguf-duplicate-tensor', infos(([first, second]) => (second!.name = first!.name))],
    ['same key twice', 'gguf-duplicate-key', withPair(pair(text(firstKey)))],
    ['key that is not UTF-8', 'gguf-name-not-utf8', withPair(pair(Uint8Array.of(0xc3, 0x28)))],
    ['tensor name that is not UTF-8', 'gguf-name-not-utf8', infos(([first]) => (first!.name = Uint8Array.of(0xff)))],
    ['unknown type', 'gguf-unknown-type', infos(([first]) => (first!.type = 0x7fffffff))],
    [
      'dimensions that overflow to zero',
      'gguf-shape-overflow',
      infos(([first]) => (first!.ne = [2n ** 32n, 2n ** 32n])),
    ],
    ['2^32 − 1 dimensions', 'gguf-too-many-dims', infos(([first]) => (first!.dims = 2 ** 32 - 1))],
    ['one dimension grown', 'gguf-overlap', infos(([first]) => (first!.ne[1]! += 1n))],
    ['one dimension shrunk to nothing', 'gguf-hole', infos(([first]) => (first!.ne[1] = 0n))],
    ...huge.flatMap((value): [string, string, Uint8Array][] => [
      [`${value} tensors`, 'gguf-bad-count', patched(8, u64(value))],
      [`${value} pairs`, 'gguf-bad-count', patched(16, u64(value))],
      [`first key of ${value} bytes`, 'gguf-name-too-long', patched(24, u64(value))],
      [`tensor name of ${value} bytes`, 'gguf-name-too-long', infos(([first]) => (first!.nameBytes = value))],
      [`dimension of ${value}`, 'gguf-shape-overflow', infos(([first]) => (first!.ne[1] = value))],
      [`array of ${value} strings`, 'gguf-truncated', withPair(concat(u64(1n), text('k'), u32(9), u32(8), u64(value)))],
      [`string of ${value} bytes`, 'gguf-string-too-long', withPair(concat(u64(1n), text('k'), u32(8), u64(value)))],
    ]),
    ['offset of 2^62', 'gguf-hole', infos((list) => (list.at(-1)!.offset = 2n ** 62n))],
    ['offset of 2^64 − 32', 'gguf-hole', infos((list) => (list.at(-1)!.offset = 2n ** 64n - 32n))],
  ];
  return files.map(([name, code, bytes]) => ({ name, code, bytes }));
}
