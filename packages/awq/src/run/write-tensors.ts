// What is known of a block goes into the folder under its Hugging Face names.
import { dtypeByName, TranscodePool } from '@quern/blocks';
import { contiguousTensor, type TensorView } from '@quern/checkpoint';
import { type HfWriter, recodedTensor } from '@quern/hf-writer';
import { memorySource } from '@quern/source';
import { quantizeMatrix } from '../grid/quantized-matrix.ts';
import { readFloats } from '../layer/layer-weights.ts';
import type { PackedTensor, PlannedTensor } from '../output/folder-plan.ts';
import { encodePlain, inCheckpointOrder } from '../output/tensor-bytes.ts';
import type { LayerResult } from './layer-task.ts';
import type { Prepared } from './prepare.ts';

export interface Output extends Prepared {
  readonly writer: HfWriter;
}

/** Embedding, last norm and head. */
export async function writeOutside(
  output: Output,
  { threads, signal }: { threads?: number; signal?: AbortSignal },
): Promise<void> {
  const { writer, plan, plain } = output;
  const outside = plan.tensors.filter(({ block }) => block === undefined);
  const todo = outside.filter((tensor) => !isWritten(output, tensor));
  if (todo.length === 0) return;
  const pool = await TranscodePool.create({ threads });
  try {
    for (const planned of todo) {
      if (planned.packed) {
        await writeRounded(output, planned, signal);
        continue;
      }
      for (const tensor of planned.inCheckpoint(planned.view))
        await recodedTensor(tensor, dtypeByName(plain), pool).write({
          async write(bytes, offset) {
            signal?.throwIfAborted();
            await writer.write(tensor.name, bytes, offset);
          },
        });
    }
  } finally {
    await pool.close();
  }
  await writer.commit();
}

/** Values rounded at once. */
const batch = 2 ** 22;

/** A matrix whose packed parts are rows one after the other, some rows at a time: an embedding may be large. */
async function writeRounded(
  { writer, packer, options, grid }: Output,
  { gguf, view: tensor, sources }: PackedTensor,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { rows, cols } = tensor;
  const parts = packer.tensorsOf(sources[0]!.name, sources[0]!.shape, options);
  const written = new Map<string, number>();
  const step = Math.max(1, Math.floor(batch / cols));
  for (let row = 0; row < rows; row += step) {
    signal?.throwIfAborted();
    const count = Math.min(step, rows - row);
    const values = await readFloats(tensor, row, count);
    const packed = packer.pack(quantizeMatrix(values, { tensor: gguf, rows: count, cols }, grid), options);
    for (const { part, name } of parts) {
      const bytes = packed.get(part)!;
      const offset = written.get(part) ?? 0;
      if (!writer.finished.has(name)) await writer.write(name, bytes, offset);
      written.set(part, offset + bytes.length);
    }
  }
}

/** Whether an earlier run has written all tensors of a block. */
export const hasBlock = (output: Output, block: number): boolean =>
  output.plan.tensors.filter((tensor) => tensor.block === block).every((tensor) => isWritten(output, tensor));

const isWritten = (output: Output, tensor: PlannedTensor): boolean =>
  partsOf(output, tensor).every((name) => output.writer.finished.has(name));

const partsOf = ({ packer, options }: Output, { sources, packed }: PlannedTensor): string[] =>
  sources.flatMap(({ name, shape }) =>
    packed ? packer.tensorsOf(name, shape, options).map((part) => part.name) : [name],
  );

/** All tensors of a block, but for those that an earlier run has written before it ended; then the note that they are there. */
export async function writeBlock(
  { writer, plan, packer, options, plain }: Output,
  { block, quantized, changed }: Pick<LayerResult, 'block' | 'quantized' | 'changed'>,
): Promise<void> {
  const write = async (name: string, bytes: Uint8Array): Promise<void> => {
    if (!writer.finished.has(name)) await writer.write(name, bytes);
  };
  for (const planned of plan.tensors.filter((tensor) => tensor.block === block)) {
    const { gguf, sources } = planned;
    if (planned.packed) {
      for (const [expert, { name, shape }] of sources.entries()) {
        const weight = inCheckpointOrder(quantized.get(gguf)![expert]!, planned.viewRow);
        const parts = packer.pack(weight, options);
        for (const { part, name: partName } of packer.tensorsOf(name, shape, options))
          await write(partName, parts.get(part)!);
      }
      continue;
    }
    const values = changed.get(gguf)?.values;
    for (const stored of planned.inCheckpoint(values ? withValues(planned.view, values) : planned.view))
      await write(stored.name, encodePlain(await readFloats(stored), plain, gguf));
  }
  await writer.commit();
}

/** The tensor with other numbers. */
function withValues(tensor: TensorView, values: Float32Array): TensorView {
  const { name, shape } = tensor;
  const source = memorySource(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), tensor.file);
  return contiguousTensor({ name, shape, dtype: dtypeByName('F32'), source, begin: 0 });
}
