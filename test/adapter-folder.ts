// Test support: PEFT folders with known numbers, the same ones that test/golden/data/adapters/record.py made.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Number `i` of tensor `seed`: what record.py computes. */
const numberAt = (seed: number, i: number): number =>
  Math.fround((((i * 7919 + seed * 104729 + Math.floor(i / 13) * 31) % 2003) - 1001) / 4004);

export interface AdapterTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** @param seed number of the tensor in the folder */
export function knownTensor(name: string, shape: readonly number[], seed: number): AdapterTensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return { name, shape, values: Float32Array.from({ length: size }, (_, i) => numberAt(seed, i)) };
}

/** Writes adapter_config.json and adapter_model.safetensors. */
export function writeAdapterFolder(dir: string, config: object, tensors: readonly AdapterTensor[]): string {
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'adapter_config.json'), JSON.stringify(config));
  let offset = 0;
  const header: Record<string, unknown> = {};
  for (const { name, shape, values } of tensors)
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, (offset += values.byteLength)] };
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const bytes = tensors.map(({ values }) => Buffer.from(values.buffer, values.byteOffset, values.byteLength));
  writeFileSync(join(dir, 'adapter_model.safetensors'), Buffer.concat([length, text, ...bytes]));
  return dir;
}
