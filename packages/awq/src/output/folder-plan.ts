// Every tensor of the folder to be written, under its Hugging Face name, before anything is computed: which become packed
// parts, which stay numbers, and how the rows of the model view lie in the checkpoint.
import { dtypeByName } from '@quern/blocks';
import type { ModelView, TensorView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import type { HfTensorSpec } from '@quern/hf-writer';
import {
  type ExpectedSource,
  type ExpectedTensor,
  expectedTensors,
  exportedArchitecture,
  hfArchitecture,
  hyperparameters,
  modelNumbers,
  storedTensors,
  withListed,
} from '@quern/models';
import type { Packer, PackOptions } from '@quern/packed';
import { outsideWeights, quantizedWeights } from '../layer/layer-pairs.ts';

export type PlainType = 'F16' | 'BF16' | 'F32';

/** Row of the view that is row `row` of `rows` in the checkpoint. */
export type RowOrder = (row: number, rows: number) => number;

/** One tensor of the model view and what it is called in the checkpoint. */
export type PlannedTensor = PackedTensor | PlainTensor;

interface Planned {
  readonly gguf: string;
  readonly view: TensorView;
  readonly block: number | undefined;
  /** What the checkpoint has of it: one tensor, or one for each expert of a stack. */
  readonly sources: readonly ExpectedSource[];
}

export interface PackedTensor extends Planned {
  readonly packed: true;
  /** Where the order of rows differs. */
  readonly viewRow: RowOrder | undefined;
}

/** Numbers of the plain type. */
export interface PlainTensor extends Planned {
  readonly packed: false;
  /** The tensors of the checkpoint that have the values of this one. */
  readonly inCheckpoint: (tensor: TensorView) => readonly TensorView[];
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

/**
 * @param config what the folder keeps of the checkpoint's config.json, if it does
 * @throws QuernError `pack-unsupported` naming the tensor that the format cannot hold
 */
export function planFolder(
  view: ModelView,
  config: Readonly<Record<string, unknown>> | undefined,
  packer: Packer,
  options: PackOptions,
  plain: PlainType,
): FolderPlan {
  const numbers = hyperparameters(view);
  const blocks = Array.from({ length: numbers.blockCount }, (_, block) => block);
  const outside = packer.limits.embedding ? outsideWeights(view) : [];
  const weights = [...outside, ...blocks.flatMap((block) => quantizedWeights(view, block))];
  const quantized = new Set(weights.map(({ name }) => name));
  // Records share a GGUF name, and the class in config.json decides what tensors are called.
  const architecture = config ? hfArchitecture({ path: view.path, config }, config) : exportedArchitecture(view);
  const expected = expectedTensors(architecture, modelNumbers(view, architecture.name, numbers.vocabSize));
  const stored = withListed(view, expected);
  const tensors = expected
    .flatMap((entry): PlannedTensor | [] => {
      const tensor = stored.get(entry.gguf);
      if (!tensor || entry.sources.length === 0) return [];
      return quantized.has(entry.gguf) ? packedTensor(entry, tensor) : plainTensor(entry, tensor);
    })
    .sort((a, b) => (a.block ?? -1) - (b.block ?? -1));
  const dtype = dtypeByName(plain);
  const specs = tensors.flatMap(({ sources, packed }) =>
    sources.flatMap(({ name, shape }): readonly HfTensorSpec[] =>
      packed ? packer.tensorsOf(name, shape, options) : [{ name, dtype, shape }],
    ),
  );
  const modules = (wanted: boolean): string[] =>
    tensors
      .filter(({ packed, gguf }) => packed === wanted && gguf !== 'token_embd.weight')
      .flatMap(({ sources }) => sources.filter(({ shape }) => shape.length === 2).map(({ name }) => moduleOf(name)));
  const plainModules = modules(false);
  const head = moduleOf(expected.find(({ gguf }) => gguf === 'output.weight')?.sources[0]?.name ?? 'lm_head.weight');
  if (!quantized.has('output.weight') && !plainModules.includes(head)) plainModules.push(head);
  return { tensors, specs, packedModules: modules(true), plainModules };
}

const moduleOf = (name: string): string => name.replace(/\.weight$/, '');

const notByRows = (tensor: string): QuernError =>
  new QuernError('pack-unsupported', 'The checkpoint stores this tensor otherwise than row by row.', {
    tensor,
    remedy: 'Quantize to a GGUF type.',
  });

/** @throws QuernError `pack-unsupported` where every way to store it has more than another order of rows */
function packedTensor({ gguf, block, place, storages }: ExpectedTensor, view: TensorView): PackedTensor {
  const storage = storages.find(
    ({ stored: { part, changes = [] } }) => !part && changes.every(({ ggufRow }) => ggufRow !== undefined),
  );
  if (!storage) throw notByRows(gguf);
  const { changes = [] } = storage.stored;
  const viewRow: RowOrder = (row, rows) => changes.reduce((at, change) => change.ggufRow!(at, rows, place), row);
  const { sources } = storage;
  return { gguf, view, block, sources, packed: true, viewRow: changes.length > 0 ? viewRow : undefined };
}

/** @throws QuernError `pack-unsupported` where the checkpoint can only have it as a part of another tensor */
function plainTensor(entry: ExpectedTensor, view: TensorView): PlainTensor {
  const { gguf, block, rule, storages } = entry;
  const storage = storages.find(({ stored }) => !stored.part);
  if (!storage) throw notByRows(gguf);
  const { stored, sources } = storage;
  const found = { ...entry, rule: { ...rule, stored }, sources };
  return {
    ...{ gguf, view, block, sources, packed: false },
    inCheckpoint: (tensor) => storedTensors([{ entry: found, tensor }]).tensors,
  };
}
