// From a pair for a module of the checkpoint to pairs for the weights that GGUF has of it. What the lens does to a weight is
// done to the factors: rows in another order, or the rows of a part, to B; columns to A. Several parts of one matrix share A.
import { QuernError } from '@quern/errors';
import type { ExpectedStorage, ExpectedTensor } from '../arch/expected-tensors.ts';
import { joined } from '../change/joined.ts';
import { partOf } from '../change/part.ts';
import { transposed, transposedTensor } from '../change/transposed.ts';
import { coreOf } from '../lens/tensor-names.ts';
import { type Factors, placeOf } from './check-pair.ts';
import { embeddingName } from './lora.ts';
import type { ModulePair } from './peft-tensors.ts';

export interface LensedPair extends Factors {
  readonly entry: ExpectedTensor;
  /** Modules that it came from: one, or an expert each. */
  readonly modules: readonly ModulePair[];
}

/** What the adapter changes of an expected tensor, if anything. @param ofGguf there is no config.json */
export function lensedPair(
  entry: ExpectedTensor,
  pairs: ReadonlyMap<string, ModulePair>,
  { ofGguf }: { readonly ofGguf: boolean },
): LensedPair | undefined {
  for (const storage of entry.storages) {
    const found = storage.sources.map(({ name }) => pairs.get(coreOf(name)));
    const modules = found.filter((pair) => pair !== undefined);
    if (modules.length === 0) continue;
    if (ofGguf && storage.stored.changes?.some(({ ofConfig }) => ofConfig))
      throw unlensed(entry, modules[0]!, 'carries factors of config.json, which a GGUF file does not tell');
    const { name } = storage.stored;
    if (typeof name !== 'string') throw unlensed(entry, modules[0]!, 'is put together with others');
    if (!name.includes('{j}')) return { entry, modules, ...factorsOf(entry, storage, modules[0]!, entry.shape) };
    const lacking = found.indexOf(undefined);
    if (lacking >= 0)
      throw new QuernError(
        'adapter-tensor-missing',
        `The adapter changes experts of ${entry.gguf}, and has no pair for ${storage.sources[lacking]!.name}.`,
        { ...placeOf(modules[0]!.a), remedy: 'Merge it with PEFT: experts are changed together, or not at all.' },
      );
    const each = modules.map((pair) => factorsOf(entry, storage, pair, entry.shape.slice(1)));
    return { entry, modules, ...stacked(entry, modules, each) };
  }
  return undefined;
}

/** Conv1D of GPT-2 stores [in, out]; the pair is the module's, from its input to its output, all the same. */
const isConv1d = ({ stored }: ExpectedStorage, shape: readonly number[]): boolean =>
  shape.length === 2 && (stored.changes ?? []).includes(transposed);

function factorsOf(
  entry: ExpectedTensor,
  storage: ExpectedStorage,
  pair: ModulePair,
  shape: readonly number[],
): Factors {
  const { place } = entry;
  const { part, changes = [] } = storage.stored;
  if (shape.length !== 2) throw unlensed(entry, pair, 'is no matrix in GGUF');
  if (pair.embedding !== (entry.gguf === embeddingName))
    throw unlensed(entry, pair, pair.embedding ? 'is no embedding' : 'is looked up, and is no product');
  const own = isConv1d(storage, shape) ? changes.filter((change) => change !== transposed) : changes;
  checkModule(pair, storage.sources[0]!.shape, isConv1d(storage, shape));
  if (pair.embedding) return embeddingFactors(entry, pair, changes, shape);
  let { a, b } = pair;
  const rank = b.cols;
  const shapes = [shape];
  for (const change of [...own].reverse()) shapes.unshift(change.storedShape(shapes[0]!, place));
  if (part) {
    if (part.flat) throw unlensed(entry, pair, 'is cut into heads');
    if (part.columns) a = partOf(a, part, [rank, shapes[0]!.at(-1)!], place.sizes);
    else b = partOf(b, part, [shapes[0]![0]!, rank], place.sizes);
  }
  for (const [i, change] of own.entries()) {
    const [rows, cols] = shapes[i + 1] as [number, number];
    if (change.ofProduct === 'left') b = change.toGguf(b, place, [rows, rank]);
    else if (change.ofProduct === 'right') a = change.toGguf(a, place, [rank, cols]);
    else throw unlensed(entry, pair, `is changed (${change.does})`);
  }
  return { a, b };
}

/** A has a column for each token: in GGUF a row, as the embedding has. */
function embeddingFactors(
  entry: ExpectedTensor,
  pair: ModulePair,
  changes: NonNullable<ExpectedStorage['stored']['changes']>,
  [rows]: readonly number[],
): Factors {
  let a = transposedTensor(pair.a);
  for (const change of changes) {
    if (change.ofProduct !== 'left') throw unlensed(entry, pair, `is changed (${change.does})`);
    a = change.toGguf(a, entry.place, [rows!, pair.b.cols]);
  }
  return { a, b: pair.b };
}

/** The module's shape, against the checkpoint's weight. */
function checkModule(pair: ModulePair, stored: readonly number[], turned: boolean): void {
  const { a, b, module, embedding } = pair;
  const product = [b.rows, a.cols];
  const wanted = turned || embedding ? [...stored].reverse() : stored;
  const fits = a.rows === b.cols && product.join() === wanted.join();
  if (fits) return;
  throw new QuernError(
    'adapter-wrong-shape',
    `${module} of the model is [${stored.join(', ')}]; the adapter's pair is [${b.shape.join(', ')}] · [${a.shape.join(', ')}].`,
    {
      ...placeOf(a.rows === b.cols && b.rows === wanted[0] ? a : b),
      remedy: 'The adapter was made for another model: give that one.',
    },
  );
}

function stacked(entry: ExpectedTensor, modules: readonly ModulePair[], each: readonly Factors[]): Factors {
  const { a, b } = modules[0]!;
  const other = modules.find((pair) => pair.b.cols !== b.cols || pair.a.dtype !== a.dtype || pair.b.dtype !== b.dtype);
  if (other)
    throw new QuernError(
      'adapter-wrong-shape',
      `Pairs of the experts of ${entry.gguf} differ in rank or type: ${other.b.cols} ${other.b.dtype.name}, and ${b.cols} ${b.dtype.name}.`,
      placeOf(other.b),
    );
  const [experts, rows, cols] = entry.shape as [number, number, number];
  return {
    a: joined(
      a.name,
      each.map((pair) => pair.a),
      [experts, b.cols, cols],
    ),
    b: joined(
      b.name,
      each.map((pair) => pair.b),
      [experts, rows, b.cols],
    ),
  };
}

const unlensed = ({ gguf }: ExpectedTensor, { module, a }: ModulePair, why: string): QuernError =>
  new QuernError('adapter-unsupported', `${module} ${why} (${gguf}): a pair for it cannot be carried over.`, {
    ...placeOf(a),
    remedy: 'Merge the adapter with PEFT (merge_and_unload, save_pretrained), and give the merged model.',
  });
