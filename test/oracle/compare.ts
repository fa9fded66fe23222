// What the comparisons with ggml share: telling how bytes differ, and real weights.
import { readFileSync } from 'node:fs';

/** Where two byte strings part, in words; undefined when they are equal. */
export function firstDifference(ours: Uint8Array, native: Uint8Array, blockBytes: number): string | undefined {
  const at = ours.findIndex((byte, i) => byte !== native[i]);
  if (at < 0) return ours.length === native.length ? undefined : `lengths ${ours.length} and ${native.length}`;
  const count = ours.filter((byte, i) => byte !== native[i]).length;
  return `block ${Math.floor(at / blockBytes)}, byte ${at % blockBytes}: ours ${ours[at]}, ggml ${native[at]} (${count} bytes differ)`;
}

interface HeaderEntry {
  dtype: string;
  shape: [number, number];
  data_offsets: [number, number];
}

/** Every 2-D BF16 tensor of a safetensors file: 8 bytes of header length, JSON, data. */
export function* matricesOf(path: URL): Generator<{ name: string; rows: number; cols: number; bytes: Uint8Array }> {
  const file = readFileSync(path);
  const headerBytes = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, 8 + headerBytes));
  for (const [name, { dtype, shape, data_offsets }] of Object.entries<HeaderEntry>(header)) {
    if (dtype !== 'BF16' || shape.length !== 2) continue;
    const [begin, end] = data_offsets.map((offset) => 8 + headerBytes + offset);
    yield { name, rows: shape[0], cols: shape[1], bytes: file.subarray(begin, end) };
  }
}
