// The weights of a block as they stand in the folder that is being written: what a reader of it will compute with, and so
// what the blocks behind are fitted to when GPTQ goes on.
import { openPacked, type StoredTensor, schemeOf } from '@quern/packed';
import type { PackedTensor } from '../output/folder-plan.ts';
import { inViewOrder } from '../output/tensor-bytes.ts';
import type { Output } from './write-tensors.ts';

/** Values of the packed weights by GGUF name, in the order of the model view. */
export async function writtenBlock(output: Output, block: number): Promise<Map<string, Float32Array>> {
  const { plan, packedConfig } = output;
  const side = packedConfig.sideFiles?.get('hf_quant_config.json') as Record<string, unknown> | undefined;
  const { quantization_config, extraConfig } = packedConfig;
  const scheme = schemeOf({ quantization_config, ...extraConfig }, side)!;
  const written = new Map<string, Float32Array>();
  const packed = plan.tensors.filter((one): one is PackedTensor => one.packed && one.block === block);
  for (const { gguf, sources, viewRow } of packed) {
    const [rows, cols] = sources[0]!.shape as [number, number];
    const values = new Float32Array(sources.length * rows * cols);
    for (const [expert, { name, shape }] of sources.entries()) {
      const weight = (await openPacked(scheme, await partsOf(output, name, shape))).get(name)!;
      const read = new Float32Array(rows * cols);
      await weight.readRows(0, rows, read);
      values.set(viewRow ? inViewOrder(read, rows, cols, viewRow) : read, expert * rows * cols);
    }
    written.set(gguf, values);
  }
  return written;
}

async function partsOf({ packer, options, writer }: Output, weight: string, shape: readonly number[]) {
  const parts = new Map<string, StoredTensor>();
  for (const { name, dtype, shape: partShape } of packer.tensorsOf(weight, shape, options)) {
    const bytes = await writer.read(name);
    const cols = partShape.at(-1)!;
    const rowBytes = cols * dtype.typeSize;
    parts.set(name, {
      ...{ name, dtype, shape: partShape, rows: bytes.length / rowBytes, cols, rowBytes, file: '', offset: 0 },
      async readRows(first, count, into) {
        into.set(bytes.subarray(first * rowBytes, (first + count) * rowBytes));
      },
    });
  }
  return parts;
}
