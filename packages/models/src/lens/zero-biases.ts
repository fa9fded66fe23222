// AutoGPTQ writes a bias beside every packed weight, zeros where the model has none. Such a bias is left out; one that is
// not zero would be missed, so it is refused.
import type { HfCheckpoint, TensorView } from '@quern/checkpoint';
import type { Architecture, Json } from '../arch/architecture.ts';
import { isAllowed, refuse } from './preflight.ts';
import { coreOf } from './tensor-names.ts';

/**
 * Reads the biases of packed weights that the architecture has no place for, and leaves out those that are zero.
 * @param config of the text model
 * @throws QuernError `tensors-unexpected` when some are not
 */
export async function withoutZeroBiases(
  checkpoint: HfCheckpoint,
  architecture: Architecture,
  config: Json,
  note: (text: string) => void,
): Promise<HfCheckpoint> {
  if (!checkpoint.packing) return checkpoint;
  const tensors = new Map(checkpoint.tensors);
  const known = new Set(
    architecture.tensors
      .filter((rule) => isAllowed(rule, config))
      .flatMap(({ stored, also = [] }) => (stored ? [stored, ...also] : []))
      .flatMap(({ name }) => (typeof name === 'string' ? [name] : name.map((one) => one.name)))
      .map(coreOf),
  );
  const wrong: string[] = [];
  for (const [name, bias] of checkpoint.tensors) {
    if (!name.endsWith('.bias') || bias.shape.length !== 1 || known.has(coreOf(ruleOf(name)))) continue;
    if (!tensors.get(name.replace(/bias$/, 'weight'))?.packed) continue;
    if (await isZero(bias)) tensors.delete(name);
    else wrong.push(name);
  }
  refuse('tensors-unexpected', `${architecture.family} has no place for`, wrong, {
    file: checkpoint.path,
    remedy: 'They are biases, and not zero: leaving them out would change what the model says.',
  });
  const dropped = checkpoint.tensors.size - tensors.size;
  if (dropped === 0) return checkpoint;
  note(`left out: ${dropped} biases of packed weights that are zero`);
  return { ...checkpoint, tensors };
}

/** The name as records of architectures have it: `{i}` for the block, `{j}` for the expert. */
function ruleOf(name: string): string {
  const numbers = ['{i}', '{j}'];
  return name.replace(/(?<=\.)\d+(?=\.)/g, (number) => numbers.shift() ?? number);
}

async function isZero(vector: TensorView): Promise<boolean> {
  const bytes = new Uint8Array(vector.rowBytes);
  await vector.readRows(0, 1, bytes);
  return bytes.every((byte) => byte === 0);
}
