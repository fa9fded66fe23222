// Tensors whose bytes follow from their names, so that a file can be checked without a second copy.
import { createHash } from 'node:crypto';
import { type DType, dtypeByName } from '@quern/blocks';
import type { HfFolder, HfTensor, HfTensorSpec } from '../hf-folder.ts';

export const dtype = (name: string): DType => dtypeByName(name)!;

export const sizeOf = ({ dtype, shape }: HfTensorSpec): number =>
  (shape.reduce((product, size) => product * size, 1) / dtype.blockSize) * dtype.typeSize;

/** As many bytes as the tensor has, from a hash of its name. */
export function bytesOf(spec: HfTensorSpec): Uint8Array {
  const block = createHash('sha512').update(spec.name).digest();
  return Uint8Array.from({ length: sizeOf(spec) }, (_, i) => (block[i % 64]! + (i >> 6)) & 255);
}

/** Layers of packed weights, as AWQ has them. */
export function packedLayers(layers: number, rows = 64): HfTensorSpec[] {
  return Array.from({ length: layers }, (_, i): HfTensorSpec[] => [
    { name: `model.layers.${i}.q_proj.qweight`, dtype: dtype('I32'), shape: [rows, 16] },
    { name: `model.layers.${i}.q_proj.qzeros`, dtype: dtype('I32'), shape: [2, 16] },
    { name: `model.layers.${i}.q_proj.scales`, dtype: dtype('F16'), shape: [2, 128] },
    { name: `model.layers.${i}.norm.weight`, dtype: dtype('F16'), shape: [128] },
  ]).flat();
}

/** Writes its bytes in two pieces, the second first. */
export const madeTensor = (spec: HfTensorSpec): HfTensor => ({
  ...spec,
  async write(sink) {
    const bytes = bytesOf(spec);
    const half = bytes.length >> 1;
    await sink.write(bytes.subarray(half), half);
    await sink.write(bytes.subarray(0, half), 0);
  },
});

export const folderOf = <T extends HfTensorSpec>(tensors: readonly T[]): HfFolder<T> => ({
  tensors,
  config: { model_type: 'made', rope_theta: 10000, rope_parameters: { factor: 8 }, hidden_size: 128 },
  sideFiles: new Map([['tokenizer.json', '{}\n']]),
});
