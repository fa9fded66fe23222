// Two models compared tensor by tensor.
import type { ModelView, TensorView } from '@quern/checkpoint';

const header = ({ name, dtype, shape }: TensorView) => `${name} ${dtype.name} ${shape.join('x')}`;

async function bytesOf(tensor: TensorView): Promise<Uint8Array> {
  const bytes = new Uint8Array(tensor.rows * tensor.rowBytes);
  await tensor.readRows(0, tensor.rows, bytes);
  return bytes;
}

/** What differs, one line each; empty when names, order, types, shapes and bytes are equal. */
export async function differences(ours: ModelView, theirs: ModelView): Promise<string[]> {
  const left = [...ours.tensors.values()];
  const right = [...theirs.tensors.values()];
  const lines: string[] = [];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const [a, b] = [left[i], right[i]];
    if (!a || !b || header(a) !== header(b)) {
      lines.push(`tensor ${i}: ${a ? header(a) : 'missing'} instead of ${b ? header(b) : 'nothing'}`);
    } else if (Buffer.compare(await bytesOf(a), await bytesOf(b)) !== 0) lines.push(`${a.name}: bytes differ`);
  }
  return lines;
}
