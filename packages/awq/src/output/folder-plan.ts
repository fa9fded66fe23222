// Every tensor of the folder to be written, under its Hugging Face name, before anything is computed: which become packed
// parts, which stay numbers, and how the rows of the model view lie in the checkpoint.
import { dtypeByName } from '@quern/blocks';
import type { ModelView, TensorView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import type { HfTensorSpec } from '@quern/hf-writer';
import {
  architectureOf,
  type ExpectedTensor,
  expectedTensors,
  hyperparameters,
  modelNumbers,
  withListed,
} from '@quern/models';
import type { Packer, PackOptions } from '@quern/packed';
import { outsideWeights, quantizedWeights } from '../layer/layer-pairs.ts';

export type PlainType = 'F16' | 'BF16' | 'F32';

/** Row of the view that is row `row` of `rows` in the checkpoint. */
export type RowOrder = (row: number, rows: number) => number;

/** One tensor of the model view and what it is called in the checkpoint. */
export interface PlannedTensor {
  readonly gguf: string;
  readonly view: TensorView;
  readonly block: number | undefined;
  /** One name; of a stack one per expert. */
  readonly names: readonly string[];
  /** Shape of each. */
  readonly shape: readonly number[];
  /** Where the order of rows differs. */
  readonly viewRow: RowOrder | undefined;
  /** Packed, or numbers of the plain type. */
  readonly packed: boolean;
}

export interface FolderPlan {
  readonly tensors: readonly PlannedTensor[];
  /** In the order of writing: embedding and head, then block after block. */
  readonly specs: readonly HfTensorSpec[];
  /** Names of modules, without `.weight`. */
  readonly packedModules: readonly string[];
  /** Linear layers that stay numbers. */
  readonly plainModules: readonly string[];
}

/** @throws QuernError `pack-unsupported` naming the tensor that the format cannot hold */
export function planFolder(view: ModelView, packer: Packer, options: PackOptions, plain: PlainType): FolderPlan {
  const numbers = hyperparameters(view);
  const blocks = Array.from({ length: numbers.blockCount }, (_, block) => block);
  const outside = packer.limits.embedding ? outsideWeights(view) : [];
  const weights = [...outside, ...blocks.flatMap((block) => quantizedWeights(view, block))];
  const quantized = new Set(weights.map(({ name }) => name));
  const architecture = architectureOf(view);
  const expected = expectedTensors(architecture, modelNumbers(view, architecture.name, numbers.vocabSize));
  const stored = withListed(view, expected);
  const tensors = expected
    .filter(({ gguf, sources }) => sources.length > 0 && stored.has(gguf))
    .map(
      (entry): PlannedTensor => ({
        gguf: entry.gguf,
        view: stored.get(entry.gguf)!,
        block: entry.block,
        names: entry.sources.map(({ name }) => name),
        shape: entry.sources[0]!.shape,
        viewRow: entry.rule.listed === undefined ? rowOrderOf(entry) : undefined,
        packed: quantized.has(entry.gguf),
      }),
    )
    .sort((a, b) => (a.block ?? -1) - (b.block ?? -1));
  const dtype = dtypeByName(plain);
  const specs = tensors.flatMap(({ names, shape, packed }) =>
    names.flatMap((name): readonly HfTensorSpec[] =>
      packed ? packer.tensorsOf(name, shape, options) : [{ name, dtype, shape }],
    ),
  );
  const modules = (wanted: boolean): string[] =>
    tensors
      .filter(({ packed, shape, gguf }) => packed === wanted && shape.length === 2 && gguf !== 'token_embd.weight')
      .flatMap(({ names }) => names.map(moduleOf));
  const plainModules = modules(false);
  const head = moduleOf(expected.find(({ gguf }) => gguf === 'output.weight')?.sources[0]?.name ?? 'lm_head.weight');
  if (!quantized.has('output.weight') && !plainModules.includes(head)) plainModules.push(head);
  return { tensors, specs, packedModules: modules(true), plainModules };
}

const moduleOf = (name: string): string => name.replace(/\.weight$/, '');

/** @throws QuernError `pack-unsupported` where the checkpoint has more than another order of rows */
function rowOrderOf({ gguf, rule, place }: ExpectedTensor): RowOrder | undefined {
  const { part, changes = [] } = rule.stored!;
  if (part || changes.some(({ ggufRow }) => ggufRow === undefined)) {
    throw new QuernError('pack-unsupported', 'The checkpoint stores this tensor otherwise than row by row.', {
      tensor: gguf,
      remedy: 'Quantize to a GGUF type.',
    });
  }
  if (changes.length === 0) return undefined;
  return (row, rows) => changes.reduce((at, change) => change.ggufRow!(at, rows, place), row);
}
