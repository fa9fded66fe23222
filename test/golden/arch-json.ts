// llama.cpp's conversion of a tiny checkpoint as llama.cpp-bf16.json (or .gguf) beside it has it, and the same of any GGUF
// file: metadata key for key, tensors with the SHA-256 of their data.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ModelView, openGgufModel, type TensorView } from '@quern/checkpoint';
import type { GgufScalar, GgufValue } from '@quern/gguf';

/** A value of metadata; of tokenizer arrays the hash alone. */
export interface GoldenValue {
  readonly type: string;
  readonly value?: unknown;
  readonly length?: number;
  readonly sha256?: string;
}

export interface GoldenTensor {
  readonly name: string;
  readonly type: string;
  /** The fastest dimension first, as ggml has it. */
  readonly shape: readonly number[];
  readonly sha256: string;
}

export interface GoldenFile {
  readonly metadata: Readonly<Record<string, GoldenValue>>;
  readonly tensors: readonly GoldenTensor[];
}

/** What llama.cpp made of the checkpoint in `folder`. */
export async function goldenOf(folder: string): Promise<GoldenFile> {
  const json = join(folder, 'llama.cpp-bf16.json');
  if (existsSync(json)) return JSON.parse(readFileSync(json, 'utf8'));
  const theirs = await openGgufModel(join(folder, 'llama.cpp-bf16.gguf'));
  const metadata = Object.fromEntries([...theirs.metadata].map(([key, value]) => [key, goldenValue(key, value)]));
  const tensors = await goldenTensors(theirs);
  await theirs.close();
  return { metadata, tensors };
}

/** Names and labels, which follow the folder and the model card. */
export const isCosmetic = (key: string): boolean =>
  key.startsWith('general.') && key !== 'general.architecture' && key !== 'general.file_type';

const shortNames: Readonly<Record<string, string>> = {
  ...{ uint8: 'u8', int8: 'i8', uint16: 'u16', int16: 'i16', uint32: 'u32', int32: 'i32', uint64: 'u64', int64: 'i64' },
  ...{ float32: 'f32', float64: 'f64', bool: 'bool', string: 'string' },
};

const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');
const plain = (value: unknown): unknown => (typeof value === 'bigint' ? Number(value) : value);

export function goldenValue(key: string, value: GgufValue): GoldenValue {
  if (value.type !== 'array') return { type: shortNames[value.type]!, value: plain(value.value) };
  const type = `array<${shortNames[value.of]}>`;
  const items = value.value as readonly GgufScalar[];
  if (!key.startsWith('tokenizer.')) return { type, length: items.length, value: items.map(plain) };
  if (value.of === 'string') return { type, length: items.length, sha256: sha256(JSON.stringify(items)) };
  if (value.of === 'uint8') return { type, length: items.length, sha256: sha256(Uint8Array.from(items, Number)) };
  const bytes = new DataView(new ArrayBuffer(4 * items.length));
  for (const [i, item] of items.entries()) {
    if (value.of === 'float32') bytes.setFloat32(4 * i, Number(item), true);
    else bytes.setInt32(4 * i, Number(item), true);
  }
  return { type, length: items.length, sha256: sha256(new Uint8Array(bytes.buffer)) };
}

/**
 * The hash in `hashes` that a tensor has when each of its values may be off by one unit in the last place, as exp is from
 * one CPU to another; undefined when there is none.
 */
export async function nearlyHash(tensor: TensorView, hashes: ReadonlySet<string>): Promise<string | undefined> {
  const bytes = new Uint8Array(tensor.rows * tensor.rowBytes);
  await tensor.readRows(0, tensor.rows, bytes);
  const values = new Int32Array(bytes.buffer);
  const original = values.slice();
  for (let choice = 0; choice < 3 ** values.length; choice++) {
    let rest = choice;
    for (let i = 0; i < values.length; i++, rest = Math.floor(rest / 3)) values[i] = original[i]! + (rest % 3) - 1;
    const hash = sha256(bytes);
    if (hashes.has(hash)) return hash;
  }
  return undefined;
}

async function goldenTensor(tensor: TensorView): Promise<GoldenTensor> {
  const bytes = new Uint8Array(tensor.rows * tensor.rowBytes);
  await tensor.readRows(0, tensor.rows, bytes);
  const { name, dtype, shape } = tensor;
  return { name, type: dtype.name, shape: [...shape].reverse(), sha256: sha256(bytes) };
}

export async function goldenTensors({ tensors }: ModelView): Promise<GoldenTensor[]> {
  const found: GoldenTensor[] = [];
  for (const tensor of tensors.values()) found.push(await goldenTensor(tensor));
  return found;
}
