// A model with grouped heads as one without: every key and value head is repeated for each query head that uses it. The
// function is the same, and v then feeds the output projection channel by channel.
import { dtypeByName } from '@quern/blocks';
import type { ModelView, TensorView } from '@quern/checkpoint';
import { hyperparameters } from '@quern/models';
import { bytesOf, readFloats } from '../layer/layer-weights.ts';

export async function withoutGroupedHeads(view: ModelView): Promise<ModelView> {
  const { headCount, headCountKv, keyLength, architecture } = hyperparameters(view);
  const tensors = new Map<string, TensorView>();
  for (const [name, tensor] of view.tensors) {
    if (!/\.attn_[kv]\.(weight|bias)$/.test(name)) {
      tensors.set(name, tensor);
      continue;
    }
    const values = await readFloats(tensor);
    const headSize = values.length / headCountKv;
    const repeated = new Float32Array((values.length * headCount) / headCountKv);
    for (let head = 0; head < headCount; head++) {
      const from = Math.floor((head * headCountKv) / headCount) * headSize;
      repeated.set(values.subarray(from, from + headSize), head * headSize);
    }
    const width = headCount * keyLength;
    tensors.set(name, inMemory(tensor, tensor.shape.length > 1 ? [width, tensor.cols] : [width], repeated));
  }
  const metadata = new Map(view.metadata);
  metadata.set(`${architecture}.attention.head_count_kv`, { type: 'uint32', value: headCount });
  return { ...view, metadata, tensors };
}

function inMemory(tensor: TensorView, shape: readonly number[], values: Float32Array): TensorView {
  const cols = shape.at(-1)!;
  const rowBytes = 4 * cols;
  return {
    ...tensor,
    dtype: dtypeByName('F32'),
    shape,
    rows: values.length / cols,
    cols,
    rowBytes,
    async readRows(firstRow, rowCount, into) {
      into.set(bytesOf(values).subarray(firstRow * rowBytes, (firstRow + rowCount) * rowBytes));
    },
  };
}
