// A model with adapters merged into its weights:  W' = W + Σ scale · factor · B · A,  computed as rows are read. Held are the A of a
// matrix and a block of rows, never a matrix of the model.
import { codecOf, dtypeByName } from '@quern/blocks';
import { checkRowRange, type ModelView, type TensorView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { pairValues } from '../forward/adapters/pair-values.ts';
import { placeOf } from './check-pair.ts';
import { embeddingName, type LoraPair, type ScaledAdapter } from './lora.ts';

interface ScaledPair {
  readonly pair: LoraPair;
  readonly scale: number;
}

/**
 * The same model, with other numbers in the weights that the adapters have pairs for, as F32.
 * @param adapters the caller's to close, when the view is
 * @throws QuernError `adapter-base-quantized`, `adapter-unsupported`
 */
export function withAdaptersMerged<View extends ModelView>(view: View, adapters: readonly ScaledAdapter[]): View {
  if (adapters.length === 0) return view;
  const tensors = new Map(view.tensors);
  const pairsOf = new Map<string, ScaledPair[]>();
  for (const { adapter, scale } of adapters)
    for (const pair of adapter.pairs.values())
      pairsOf.set(pair.weight, [...(pairsOf.get(pair.weight) ?? []), { pair, scale }]);
  for (const [weight, pairs] of pairsOf) {
    const tensor = tensors.get(weight)!;
    requireMergeable(view, tensor, pairs[0]!.pair);
    tensors.set(weight, mergedTensor(tensor, pairs));
  }
  const files = [...pairsOf.values()].flatMap((pairs) => pairs.flatMap(({ pair: { a, b } }) => [a.file, b.file]));
  const settings = adapters.map(({ adapter: { pairs }, scale }) => [
    scale,
    ...[...pairs.values()].map(({ factor }) => factor),
  ]);
  const names = adapters.map(({ adapter: { path }, scale }) => `${path} (scale ${scale})`);
  const notes = [...(view.notes ?? []), `merged into ${pairsOf.size} weights: ${names.join(', ')}`];
  return { ...view, tensors, notes, computedFrom: { files: [...new Set(files)], settings: JSON.stringify(settings) } };
}

function requireMergeable({ tensors }: ModelView, { name, dtype, packed }: TensorView, { a }: LoraPair): void {
  if (dtype.blockSize > 1 || packed)
    throw new QuernError(
      'adapter-base-quantized',
      `${name} is stored as ${packed?.format ?? dtype.name}: what would be added to it would be lost in its rounding.`,
      {
        ...placeOf(a),
        remedy: 'Merge the adapter into the model that was not quantized, or serve this one with --lora.',
      },
    );
  if (name === embeddingName && !tensors.has('output.weight'))
    throw new QuernError(
      'adapter-unsupported',
      'The adapter changes the embedding, which is the output matrix too: merged, it would change both.',
      { ...placeOf(a), remedy: 'Serve the model with --lora, which changes what is looked up alone.' },
    );
}

function mergedTensor(tensor: TensorView, pairs: readonly ScaledPair[]): TensorView {
  const products = pairs.map(({ pair, scale }) =>
    pair.weight === embeddingName ? productOfRows(pair, scale) : productOfMatrices(pair, scale, tensor),
  );
  const { decode } = codecOf(tensor.dtype);
  const { packed: _, ...stored } = tensor;
  const result = { ...stored, dtype: dtypeByName('F32'), rowBytes: 4 * tensor.cols };
  return {
    ...result,
    async readRows(firstRow, rowCount, into) {
      checkRowRange(result, firstRow, rowCount, into);
      const bytes = new Uint8Array(rowCount * tensor.rowBytes);
      await tensor.readRows(firstRow, rowCount, bytes);
      const values = new Float32Array(rowCount * tensor.cols);
      decode(bytes, values);
      const sums = Float64Array.from(values);
      for (const add of products) await add(sums, firstRow, rowCount);
      into.set(new Uint8Array(Float32Array.from(sums).buffer));
    },
  };
}

/** Adds scale · rows of B·A to some rows. */
type Product = (sums: Float64Array, firstRow: number, rowCount: number) => Promise<void>;

function productOfMatrices(pair: LoraPair, scale: number, { shape, cols }: TensorView): Product {
  const { a, b } = pairValues(pair);
  const { rank } = pair;
  const rowsEach = shape.at(-2)!;
  // Of a stack, that of the matrix at work.
  const right = lastOf((matrix: number) => readFloats(a, matrix * rank, rank));
  return async (sums, firstRow, rowCount) => {
    const left = await readFloats(b, firstRow, rowCount);
    for (let row = 0; row < rowCount; row++) {
      const factors = left.subarray(row * rank, (row + 1) * rank);
      const of = await right(Math.floor((firstRow + row) / rowsEach));
      addProduct(sums.subarray(row * cols, (row + 1) * cols), factors, of, scale);
    }
  };
}

/** Of the embedding: A has its rows, B those of its columns. */
function productOfRows(pair: LoraPair, scale: number): Product {
  const { a, b } = pairValues(pair);
  const { rank } = pair;
  const cols = b.rows;
  const right = lastOf(async () => transposedFloats(await readFloats(b, 0, cols), rank));
  return async (sums, firstRow, rowCount) => {
    const left = await readFloats(a, firstRow, rowCount);
    for (let row = 0; row < rowCount; row++)
      addProduct(
        sums.subarray(row * cols, (row + 1) * cols),
        left.subarray(row * rank, (row + 1) * rank),
        await right(0),
        scale,
      );
  };
}

/** sums [cols] += scale · factors [rank] · matrix [rank, cols] */
function addProduct(sums: Float64Array, factors: Float32Array, matrix: Float32Array, scale: number): void {
  const cols = sums.length;
  for (const [k, factor] of factors.entries()) {
    const by = scale * factor;
    const from = k * cols;
    for (let col = 0; col < cols; col++) sums[col]! += by * matrix[from + col]!;
  }
}

function transposedFloats(values: Float32Array, cols: number): Float32Array {
  const rows = values.length / cols;
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++)
    for (let col = 0; col < cols; col++) result[col * rows + row] = values[row * cols + col]!;
  return result;
}

/** Keeps the last result: rows are read in order. */
function lastOf(read: (key: number) => Promise<Float32Array>): (key: number) => Promise<Float32Array> {
  let last: { readonly key: number; readonly values: Promise<Float32Array> } | undefined;
  return (key) => {
    if (last?.key !== key) last = { key, values: read(key) };
    return last.values;
  };
}

async function readFloats(tensor: TensorView, first: number, count: number): Promise<Float32Array> {
  const bytes = new Uint8Array(count * tensor.rowBytes);
  await tensor.readRows(first, count, bytes);
  const values = new Float32Array(count * tensor.cols);
  codecOf(tensor.dtype).decode(bytes, values);
  return values;
}
