// Damaged safetensors files, each made from a good one by one deliberate change, with the code it must lead to.
import { concat, type Hostile } from './gguf-corpus.ts';

type Entry = { dtype: string; shape: number[]; data_offsets: [number, number] };

/** @param good a safetensors file of at least two tensors, the first of more than two weights */
export function safetensorsCorpus(good: Uint8Array): Hostile[] {
  const length = Number(new DataView(good.buffer, good.byteOffset).getBigUint64(0, true));
  const json = new TextDecoder().decode(good.subarray(8, 8 + length));
  const data = good.subarray(8 + length);

  const withHeader = (header: Uint8Array, body: Uint8Array = data): Uint8Array => {
    const prefix = new Uint8Array(8);
    new DataView(prefix.buffer).setBigUint64(0, BigInt(header.length), true);
    return concat(prefix, header, body);
  };
  const withText = (text: string, body?: Uint8Array): Uint8Array => withHeader(new TextEncoder().encode(text), body);
  /** Changes the entries, which are listed in the order of their data. */
  const edited = (change: (entries: Entry[], all: Record<string, Entry>) => void, body?: Uint8Array): Uint8Array => {
    const all = JSON.parse(json) as Record<string, Entry>;
    const entries = Object.entries(all).flatMap(([name, entry]) => (name === '__metadata__' ? [] : [entry]));
    entries.sort((a, b) => a.data_offsets[0] - b.data_offsets[0]);
    change(entries, all);
    return withText(JSON.stringify(all), body);
  };
  const claim = (bytes: bigint): Uint8Array => {
    const copy = good.slice();
    new DataView(copy.buffer).setBigUint64(0, bytes, true);
    return copy;
  };
  const firstName = Object.keys(JSON.parse(json) as object).find((name) => name !== '__metadata__')!;
  const nameAt = new TextEncoder().encode(json.slice(0, json.indexOf(JSON.stringify(firstName)))).length + 1;
  const brokenName = new TextEncoder().encode(json);
  brokenName[nameAt] = 0xff;

  const files: [name: string, code: string, bytes: Uint8Array][] = [
    ['unchanged', 'open', edited(() => {})],
    ['empty', 'safetensors-truncated', new Uint8Array(0)],
    ['cut inside the header', 'safetensors-truncated', good.slice(0, 8 + (length >> 1))],
    ['cut at the data', 'safetensors-truncated', good.slice(0, 8 + length)],
    ['cut by one byte', 'safetensors-truncated', good.slice(0, good.length - 1)],
    ['one byte more', 'safetensors-trailing-data', concat(good, new Uint8Array(1))],
    ['header of 2^64 − 1 bytes', 'safetensors-header-too-large', claim(2n ** 64n - 1n)],
    ['header of 2^63 bytes', 'safetensors-header-too-large', claim(2n ** 63n)],
    ['header as long as the file', 'safetensors-truncated', claim(BigInt(good.length))],
    ['name that is not UTF-8', 'safetensors-not-utf8', withHeader(brokenName)],
    [
      'same name twice',
      'safetensors-duplicate-name',
      withText(
        json.trimEnd().replace(/\}$/, `,${JSON.stringify(firstName)}:{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`),
      ),
    ],
    [
      'overlap: two tensors at one place',
      'safetensors-overlap',
      edited(([first, second]) => Object.assign(second!, first)),
    ],
    [
      'hole: everything after the first tensor moved',
      'safetensors-hole',
      edited(
        (entries) => {
          for (const entry of entries.slice(1)) {
            entry.data_offsets = [entry.data_offsets[0] + 8, entry.data_offsets[1] + 8];
          }
        },
        concat(data, new Uint8Array(8)),
      ),
    ],
    ['tensor not listed', 'safetensors-hole', edited((_, all) => delete all[firstName])],
    ['backwards', 'safetensors-bad-offsets', edited(([first]) => first!.data_offsets.reverse())],
    [
      'offset beyond the file',
      'safetensors-truncated',
      edited((entries) => {
        const last = entries.at(-1)!;
        last.data_offsets = [last.data_offsets[0] + data.length, last.data_offsets[1] + data.length];
      }),
    ],
    ['offsets of another size', 'safetensors-size-mismatch', edited(([first]) => (first!.data_offsets[1] -= 1))],
    ['one weight more', 'safetensors-size-mismatch', edited(([first]) => (first!.shape[0]! += 1))],
    ['dtype of another size', 'safetensors-size-mismatch', edited(([first]) => (first!.dtype = 'F64'))],
    ['unknown dtype', 'safetensors-unknown-dtype', edited(([first]) => (first!.dtype = 'F128'))],
    ['shape that overflows', 'safetensors-bad-shape', edited(([first]) => (first!.shape = [2 ** 40, 2 ** 40]))],
    ['brackets without end', 'safetensors-bad-json', withText(`{"a":${'['.repeat(1_000_000)}`)],
    ['objects without end', 'safetensors-bad-json', withText('{"shape":'.repeat(1_000_000))],
    ['a million dimensions', 'safetensors-bad-json', withText(`{"a":{"shape":[${'1,'.repeat(1_000_000)}1]}}`)],
  ];
  return files.map(([name, code, bytes]) => ({ name, code, bytes }));
}
