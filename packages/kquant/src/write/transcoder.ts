// Turns row blocks of one type into another on the threads of the pool.
import { codecOf, rowBytes } from '@quern/blocks';
import type { Plan, TensorPlan } from '../plan/plan.ts';
import type { RowBlock } from './row-blocks.ts';

export interface Transcoder {
  /**
   * @param fill puts the stored rows into its argument
   * @param use gets the stored rows and those of the planned type; both are reused after it resolves
   */
  run(
    block: RowBlock,
    fill: (input: Uint8Array) => Promise<void>,
    use: (input: Uint8Array, output: Uint8Array) => Promise<void>,
  ): Promise<void>;
  close(): Promise<void>;
}

/** @throws QuernError `dtype-without-codec` when a type of the plan cannot be read or written */
export async function openTranscoder(plan: Plan, _threads: number): Promise<Transcoder> {
  for (const { from, via, to } of plan.tensors)
    if (from !== to) for (const dtype of [from, via, to]) if (dtype) codecOf(dtype);
  return {
    async run(block, fill, use) {
      const { tensor, rows } = block;
      const input = new Uint8Array(rows * rowBytes(tensor.from, tensor.cols));
      await fill(input);
      await use(input, transcode(input, tensor, rows));
    },
    async close() {},
  };
}

function transcode(input: Uint8Array, { from, via, to, cols }: TensorPlan, rows: number): Uint8Array {
  if (from === to) return input;
  const values = new Float32Array(rows * cols);
  codecOf(from).decode(input, values);
  if (via) {
    const between = new Uint8Array(rows * rowBytes(via, cols));
    codecOf(via).encode(values, between, cols);
    codecOf(via).decode(between, values);
  }
  const output = new Uint8Array(rows * rowBytes(to, cols));
  codecOf(to).encode(values, output, cols);
  return output;
}
