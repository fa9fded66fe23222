// AutoGPTQ writes a bias beside every packed weight, zeros where the model has none. Such a bias is left out; one that is
// not zero would be missed, so it stays, and preflight refuses it.
import type { HfCheckpoint, TensorView } from '@quern/checkpoint';
import type { ExpectedTensor } from '../arch/expected-tensors.ts';
import { allowedTensors } from './preflight.ts';

/** Reads the biases of packed weights that the architecture has no place for, and leaves out those that are zero. */
export async function withoutZeroBiases(
  checkpoint: HfCheckpoint,
  expected: readonly ExpectedTensor[],
  note: (text: string) => void,
): Promise<HfCheckpoint> {
  if (!checkpoint.packing) return checkpoint;
  const tensors = new Map(checkpoint.tensors);
  const known = new Set(
    allowedTensors(expected, checkpoint.config).flatMap(({ sources }) => sources.map(({ name }) => name)),
  );
  let dropped = 0;
  for (const [name, bias] of checkpoint.tensors) {
    if (known.has(name) || !name.endsWith('.bias') || bias.shape.length !== 1) continue;
    if (!tensors.get(name.replace(/bias$/, 'weight'))?.packed || !(await isZero(bias))) continue;
    tensors.delete(name);
    dropped++;
  }
  if (dropped === 0) return checkpoint;
  note(`left out: ${dropped} biases of packed weights that are zero`);
  return { ...checkpoint, tensors };
}

async function isZero(vector: TensorView): Promise<boolean> {
  const bytes = new Uint8Array(vector.rowBytes);
  await vector.readRows(0, 1, bytes);
  return bytes.every((byte) => byte === 0);
}
