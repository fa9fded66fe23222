// Which tensors the forward pass wants, and where it finds them: the architecture record lists names and shapes, the
// file must have exactly those. A tensor that nobody would use is refused: it belongs to a network we do not compute.
import type { ModelView, TensorView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import type { Tensor } from '@quern/runtime';
import type { TensorRule } from '../arch/architecture.ts';
import { type ExpectedTensor, expectedTensors } from '../arch/expected-tensors.ts';
import { architectureOf, type Hyperparameters } from '../hyperparameters.ts';

export interface BlockWeights {
  readonly attnNorm: Tensor;
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
  readonly qBias?: Tensor;
  readonly kBias?: Tensor;
  readonly vBias?: Tensor;
  /** RMS norm over each head, before rope. */
  readonly qNorm?: Tensor;
  readonly kNorm?: Tensor;
  readonly attnOutput: Tensor;
  readonly attnOutputBias?: Tensor;
  readonly ffnNorm: Tensor;
  /** Of a dense model. */
  readonly mlp?: MlpWeights;
  readonly experts?: ExpertWeights;
  readonly sharedExpert?: SharedExpertWeights;
}

export interface MlpWeights {
  readonly gate: Tensor; // [F, C]
  readonly up: Tensor; // [F, C]
  readonly down: Tensor; // [C, F]
}

export interface ExpertWeights {
  readonly router: Tensor; // [experts, C]
  readonly gate: Tensor; // [experts, F, C]
  readonly up: Tensor; // [experts, F, C]
  readonly down: Tensor; // [experts, C, F]
}

export interface SharedExpertWeights extends MlpWeights {
  readonly sharedGate: Tensor; // [1, C]
}

/** Of one device. */
export interface Weights {
  /** On the device that embeds the tokens. */
  readonly embedding?: Tensor;
  readonly blocks: readonly BlockWeights[];
  /** On the device that computes logits. */
  readonly output?: OutputWeights;
}

export interface OutputWeights {
  readonly norm: Tensor;
  /** The embedding when the model is tied. */
  readonly matrix: Tensor;
}

/** A tensor of the model that the forward pass uses. */
export interface WantedTensor {
  readonly tensor: TensorView;
  readonly rule: TensorRule;
  /** Number of the block it belongs to. */
  readonly block?: number;
}

/** Only matrices keep their stored dtype: vectors are small, and devices take norms and biases as F32. */
export const isMatrix = (view: TensorView): boolean => view.shape.length > 1;

/**
 * The tensors to load, checked against the architecture.
 * @throws QuernError `tensor-missing`, `tensor-unexpected`, `tensor-wrong-shape`
 */
export function wantedTensors(view: ModelView, hyperparameters: Hyperparameters): WantedTensor[] {
  const expected = expectedTensors(architectureOf(view), hyperparameters, hyperparameters.blockCount);
  const wanted = expected.filter((tensor) => isPresent(tensor, view, hyperparameters));
  const names = new Set(wanted.map(({ gguf }) => gguf));
  for (const { name, file, offset } of view.tensors.values())
    if (!names.has(name))
      throw new QuernError('tensor-unexpected', `A ${hyperparameters.architecture} model has no such tensor.`, {
        file,
        tensor: name,
        offset,
        remedy: 'The file describes a network that this version does not compute.',
      });
  return wanted.map(({ gguf, rule, block }) => ({ tensor: smallestForm(view.tensors.get(gguf)!), rule, block }));
}

/** Packed weights stay packed in memory where a ggml type holds the same values. */
const smallestForm = (tensor: TensorView): TensorView =>
  tensor.packed?.exact.find(({ values }) => values === 'same')?.view ?? tensor;

function isPresent(expected: ExpectedTensor, view: ModelView, { attnBias, attnOutputBias }: Hyperparameters): boolean {
  const { gguf: name, shape, rule } = expected;
  const tensor = view.tensors.get(name);
  if (tensor) {
    if (tensor.shape.length !== shape.length || tensor.shape.some((size, axis) => size !== shape[axis]))
      throw new QuernError(
        'tensor-wrong-shape',
        `The tensor has shape [${tensor.shape.join(', ')}], the metadata asks for [${shape.join(', ')}].`,
        { file: tensor.file, tensor: name, offset: tensor.offset },
      );
    return true;
  }
  const biased = name.includes('attn_output') ? attnOutputBias : attnBias;
  if (rule.presence === 'always' || (rule.presence === 'attentionBias' && biased))
    throw new QuernError('tensor-missing', 'The model lacks a tensor.', { file: view.path, tensor: name });
  return false;
}

/** Gives every tensor that a device has loaded its place; `loaded`: by name. */
export function arrangeWeights(
  loaded: ReadonlyMap<string, Tensor>,
  part: { firstBlock: number; endBlock: number; embedding: boolean; output: boolean },
): Weights {
  const { firstBlock, endBlock, embedding, output } = part;
  const embedded = loaded.get('token_embd.weight');
  return {
    ...(embedding && { embedding: embedded }),
    blocks: Array.from({ length: endBlock - firstBlock }, (_, i) => blockWeights(loaded, `blk.${firstBlock + i}.`)),
    ...(output && {
      output: { norm: loaded.get('output_norm.weight')!, matrix: loaded.get('output.weight') ?? embedded! },
    }),
  };
}

function blockWeights(loaded: ReadonlyMap<string, Tensor>, prefix: string): BlockWeights {
  const optional = (name: string): Tensor | undefined => loaded.get(prefix + name);
  const required = (name: string): Tensor => loaded.get(prefix + name)!;
  return {
    attnNorm: required('attn_norm.weight'),
    q: required('attn_q.weight'),
    k: required('attn_k.weight'),
    v: required('attn_v.weight'),
    qBias: optional('attn_q.bias'),
    kBias: optional('attn_k.bias'),
    vBias: optional('attn_v.bias'),
    qNorm: optional('attn_q_norm.weight'),
    kNorm: optional('attn_k_norm.weight'),
    attnOutput: required('attn_output.weight'),
    attnOutputBias: optional('attn_output.bias'),
    ffnNorm: required('ffn_norm.weight'),
    ...feedForwardWeights(optional, required),
  };
}

type Find<Found> = (name: string) => Found;

function feedForwardWeights(
  optional: Find<Tensor | undefined>,
  required: Find<Tensor>,
): Pick<BlockWeights, 'mlp' | 'experts' | 'sharedExpert'> {
  const mlp = (suffix: string): MlpWeights => ({
    gate: required(`ffn_gate${suffix}.weight`),
    up: required(`ffn_up${suffix}.weight`),
    down: required(`ffn_down${suffix}.weight`),
  });
  const router = optional('ffn_gate_inp.weight');
  if (!router) return { mlp: mlp('') };
  const sharedGate = optional('ffn_gate_inp_shexp.weight');
  return {
    experts: { router, ...mlp('_exps') },
    ...(sharedGate && { sharedExpert: { sharedGate, ...mlp('_shexp') } }),
  };
}
