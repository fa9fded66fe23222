// What is known of a block goes into the folder under its Hugging Face names.
import { dtypeByName, TranscodePool } from '@quern/blocks';
import { type HfWriter, recodedTensor } from '@quern/hf-writer';
import { quantizeMatrix } from '../grid/quantized-matrix.ts';
import { readFloats } from '../layer/layer-weights.ts';
import type { PlannedTensor } from '../output/folder-plan.ts';
import { encodePlain, inCheckpointOrder, reordered } from '../output/tensor-bytes.ts';
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
      const name = planned.names[0]!;
      const tensor = recodedTensor({ ...planned.view, name }, dtypeByName(plain), pool);
      await tensor.write({
        async write(bytes, offset) {
          signal?.throwIfAborted();
          await writer.write(name, bytes, offset);
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
  { gguf, view: tensor, names, shape }: PlannedTensor,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { rows, cols } = tensor;
  const parts = packer.tensorsOf(names[0]!, shape, options);
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

const partsOf = ({ packer, options }: Output, { names, shape, packed }: PlannedTensor): string[] =>
  names.flatMap((name) => (packed ? packer.tensorsOf(name, shape, options).map((part) => part.name) : [name]));

/** All tensors of a block, but for those that an earlier run has written before it ended; then the note that they are there. */
export async function writeBlock(
  { writer, plan, packer, options, plain }: Output,
  { block, quantized, changed }: Pick<LayerResult, 'block' | 'quantized' | 'changed'>,
): Promise<void> {
  const write = async (name: string, bytes: Uint8Array): Promise<void> => {
    if (!writer.finished.has(name)) await writer.write(name, bytes);
  };
  for (const { gguf, view, names, shape, packed, viewRow } of plan.tensors.filter((tensor) => tensor.block === block)) {
    if (packed) {
      for (const [expert, name] of names.entries()) {
        const weight = inCheckpointOrder(quantized.get(gguf)![expert]!, viewRow);
        const parts = packer.pack(weight, options);
        for (const { part, name: partName } of packer.tensorsOf(name, shape, options))
          await write(partName, parts.get(part)!);
      }
      continue;
    }
    const values = changed.get(gguf)?.values ?? (await readFloats(view));
    const each = values.length / names.length;
    for (const [i, name] of names.entries()) {
      const part = values.subarray(i * each, (i + 1) * each);
      const rows = shape[0]!;
      const ordered = viewRow === undefined ? part : reordered(part, rows, each / rows, viewRow);
      await write(name, encodePlain(ordered, plain, gguf));
    }
  }
  await writer.commit();
}
