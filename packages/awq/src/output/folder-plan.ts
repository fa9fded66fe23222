// Every tensor of the folder to be written, under its Hugging Face name, before anything is computed: which become packed
// parts, which stay numbers, and how the rows of the model view lie in the checkpoint.
import { dtypeByName } from '@quern/blocks';
import type { ModelView } from '@quern/checkpoint';
import type { HfTensorSpec } from '@quern/hf-writer';
import { architectureOf, expectedTensors, hyperparameters } from '@quern/models';
import type { Packer, PackOptions } from '@quern/packed';
import { quantizedWeights } from '../layer/layer-pairs.ts';

export type PlainType = 'F16' | 'BF16' | 'F32';

/** One tensor of the model view and what it is called in the checkpoint. */
export interface PlannedTensor {
  readonly gguf: string;
  readonly block: number | undefined;
  /** One name; of a stack one per expert. */
  readonly names: readonly string[];
  /** Shape of each. */
  readonly shape: readonly number[];
  /** Heads whose rows stand in pairs in the view and in halves in the checkpoint. */
  readonly permutedHeads: number | undefined;
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
  const quantized = new Set(blocks.flatMap((block) => quantizedWeights(view, block).map(({ name }) => name)));
  const heads = { q: numbers.headCount, k: numbers.headCountKv };
  const tensors = expectedTensors(architectureOf(view), numbers, numbers.blockCount)
    .filter(({ gguf, sources }) => sources.length > 0 && view.tensors.has(gguf))
    .map(
      ({ gguf, block, sources, rule }): PlannedTensor => ({
        gguf,
        block,
        names: sources.map(({ name }) => name),
        shape: sources[0]!.shape,
        permutedHeads: rule.permute && heads[rule.permute],
        packed: quantized.has(gguf),
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
      .flatMap(({ names }) => names.map((name) => name.replace(/\.weight$/, '')));
  return { tensors, specs, packedModules: modules(true), plainModules: modules(false) };
}

/** Row of the view that is row `row` of the checkpoint (models: to-huggingface/unpermuted-tensor.ts). */
export function viewRow(row: number, rows: number, heads: number): number {
  const headRows = rows / heads;
  const within = row % headRows;
  const half = headRows / 2;
  return row - within + 2 * (within % half) + Math.floor(within / half);
}
