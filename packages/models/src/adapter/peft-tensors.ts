// The tensors of a PEFT adapter as pairs for modules of the checkpoint that it was trained on.
//   base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight         [rank, in]
//   base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight         [out, rank]
//   base_model.model.model.embed_tokens.lora_embedding_A                   [rank, vocab], and B [width, rank]
import type { AdapterFolder, TensorView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { coreOf } from '../lens/tensor-names.ts';
import { placeOf } from './check-pair.ts';

export interface ModulePair {
  /** As PEFT matches patterns with it: the name in the model. */
  readonly module: string;
  readonly embedding: boolean;
  readonly a: TensorView;
  readonly b: TensorView;
}

const half = /^(.+)\.lora_(embedding_)?([AB])(?:\.(?:default|weight))*$/;
/** What PEFT puts around the model. */
const around = /^base_model\.model\./;

const copied = /\.base_layer\.weight$/;

/** What PEFT stores beside pairs, by the core of the weight's name in the checkpoint: copies of weights of the model. */
export const copiesOf = ({ tensors }: AdapterFolder): Map<string, TensorView> =>
  new Map(
    [...tensors.values()]
      .filter(({ name }) => copied.test(name))
      .map((tensor) => [coreOf(tensor.name.replace(copied, '.weight')), tensor]),
  );

/**
 * @returns pairs by the core of the weight's name in the checkpoint
 * @throws QuernError `adapter-tensor-unexpected`, `adapter-tensor-missing`, `adapter-tensor-twice`, `adapter-bad-type`
 */
export function modulePairs({ tensors, path }: AdapterFolder): Map<string, ModulePair> {
  const halves = new Map<string, Partial<Record<'A' | 'B', TensorView>> & { module: string; embedding: boolean }>();
  for (const tensor of tensors.values()) {
    if (copied.test(tensor.name)) continue;
    const [, stem, embedding, side] = half.exec(tensor.name) ?? [];
    if (stem === undefined) throw unexpected(tensor);
    if (tensor.shape.length !== 2 || !['F32', 'F16', 'BF16'].includes(tensor.dtype.name))
      throw new QuernError(
        'adapter-bad-type',
        `The tensor is ${tensor.dtype.name} [${tensor.shape.join(', ')}]; a matrix of F32, F16 or BF16 was expected.`,
        placeOf(tensor),
      );
    const key = coreOf(`${stem}.weight`);
    const known = halves.get(key);
    if (known?.[side as 'A' | 'B'])
      throw new QuernError(
        'adapter-tensor-twice',
        `The adapter has it twice: as ${known[side as 'A' | 'B']!.name} too.`,
        placeOf(tensor),
      );
    halves.set(key, {
      ...known,
      ...{ module: stem.replace(around, ''), embedding: embedding !== undefined },
      [side as 'A' | 'B']: tensor,
    });
  }
  if (halves.size === 0) throw new QuernError('adapter-tensor-missing', 'The adapter has no tensors.', { file: path });
  return new Map(
    [...halves].map(([key, { A: a, B: b, module, embedding }]) => {
      if (a && b) return [key, { module, embedding, a, b }];
      throw new QuernError('adapter-tensor-missing', `The other half of the pair is missing (lora_${a ? 'B' : 'A'}).`, {
        ...placeOf((a ?? b)!),
        remedy: 'Fetch the adapter again.',
      });
    }),
  );
}

/** Why it is there, where that is known. */
function unexpected(tensor: TensorView): QuernError {
  const { name } = tensor;
  const what = /modules_to_save|original_module/.test(name)
    ? 'a whole module in place of that of the model (modules_to_save)'
    : /magnitude/.test(name)
      ? 'a magnitude for each column (DoRA)'
      : /\.bias$/.test(name)
        ? 'a bias'
        : /lora_/.test(name)
          ? 'no half of a pair that is known'
          : 'a whole tensor in place of that of the model (modules_to_save, or an embedding with new tokens)';
  return new QuernError('adapter-tensor-unexpected', `The tensor is ${what}: it would not be applied.`, {
    ...placeOf(tensor),
    remedy: 'Merge the adapter with PEFT (merge_and_unload, save_pretrained), and give the merged model.',
  });
}
