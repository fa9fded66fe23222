// A packed weight (AWQ, GPTQ, MXFP4 …) as a tensor: its values in F32, and beside them the ggml types that hold the same
// codes. The tensors it is stored in disappear from the checkpoint; their names and files are those of errors.
import { type DType, dtypeByName, rowBytes } from '@quern/blocks';
import { openPacked, type PackedScheme, type PackedWeight } from '@quern/packed';
import { blaming } from './blame.ts';
import { checkRowRange } from './contiguous-tensor.ts';
import type { Packing, TensorView } from './model-view.ts';

export interface Unpacked {
  readonly tensors: ReadonlyMap<string, TensorView>;
  readonly packing: Packing;
}

/**
 * A checkpoint's tensors with packed weights in place of their parts.
 * @throws QuernError those of `openPacked`
 */
export async function unpackTensors(scheme: PackedScheme, stored: ReadonlyMap<string, TensorView>): Promise<Unpacked> {
  const weights = await openPacked(scheme, stored);
  const owners = new Map<string, PackedWeight>();
  for (const weight of weights.values()) for (const part of weight.parts) owners.set(part, weight);
  const tensors = new Map<string, TensorView>();
  for (const [name, tensor] of stored) {
    const owner = owners.get(name);
    if (owner) {
      // In place of the first of its parts: the order of the file stays.
      if (!tensors.has(owner.name)) tensors.set(owner.name, packedTensor(owner, stored));
    } else tensors.set(name, tensor);
  }
  return { tensors, packing: { description: scheme.description } };
}

function packedTensor(weight: PackedWeight, stored: ReadonlyMap<string, TensorView>): TensorView {
  const parts = weight.parts.map((name) => stored.get(name)!);
  const storedBytes = parts.reduce((sum, part) => sum + part.rows * part.rowBytes, 0);
  // NVFP4's second scale has no place in the blocks, so they alone are not the weight.
  const forms = weight.exact.filter(({ tensorScale = 1 }) => tensorScale === 1);
  return {
    ...asView(weight, parts[0]!, dtypeByName('F32'), (first, count, into) => readValues(weight, first, count, into)),
    packed: {
      format: weight.format,
      storedBytes,
      exact: forms.map(({ dtype, values, provesSame, readRows }) => ({
        dtype,
        values,
        ...(provesSame && { provesSame: () => blaming({ file: parts[0]!.file, tensor: weight.name }, provesSame) }),
        view: asView(weight, parts[0]!, dtype, readRows),
      })),
      ...(weight.readGroups && { readGroups: (first, count) => weight.readGroups!(first, count) }),
    },
  };
}

function asView(
  { name, shape }: PackedWeight,
  { file, offset }: TensorView,
  dtype: DType,
  readRows: TensorView['readRows'],
): TensorView {
  const cols = shape.at(-1)!;
  const rows = shape.slice(0, -1).reduce((product, size) => product * size, 1);
  const view = { name, dtype, shape, rows, cols, rowBytes: rowBytes(dtype, cols), file, offset };
  return {
    ...view,
    async readRows(firstRow, rowCount, into) {
      checkRowRange(view, firstRow, rowCount, into);
      await blaming({ file, tensor: name }, () => readRows(firstRow, rowCount, into));
    },
  };
}

async function readValues(weight: PackedWeight, first: number, count: number, into: Uint8Array): Promise<void> {
  // A thread's memory may begin anywhere; floats may not.
  if (into.byteOffset % 4 === 0)
    return weight.readRows(first, count, new Float32Array(into.buffer, into.byteOffset, into.length / 4));
  const values = new Float32Array(into.length / 4);
  await weight.readRows(first, count, values);
  into.set(new Uint8Array(values.buffer));
}
