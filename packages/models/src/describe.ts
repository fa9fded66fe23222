// Numbers about a model for people, from headers alone.
import { type ModelView, storedBytes } from '@quern/checkpoint';
import { type Network, partsOf } from './forward/network.ts';
import { statesOf } from './forward/state/held-states.ts';
import { type Hyperparameters, hyperparameters } from './hyperparameters.ts';
import { metadataReader } from './metadata-reader.ts';
import { networkOf } from './network-of.ts';

export interface TypeCount {
  tensors: number;
  /** Weights in them. */
  parameters: number;
  bytes: number;
}

export interface ModelDescription {
  architecture: string;
  hyperparameters: Hyperparameters;
  /** Weights in all tensors, those of a tied output matrix once. */
  parameters: number;
  tensorCount: number;
  /** By type name, in order of first appearance. */
  typeHistogram: Record<string, TypeCount>;
  /** Stored bits per weight over all tensors, scales included. */
  bitsPerWeight: number;
  /** Bytes of tensor data, without padding and header. */
  dataBytes: number;
  /** Bytes that one token occupies in the key-value cache, all layers together. */
  kvBytesPerToken: { f32: number; f16: number };
  tokenizer: { model?: string; pre?: string; vocab: number };
  chatTemplate: boolean;
}

/** @throws QuernError those of `hyperparameters` */
export function describeModel(view: ModelView): ModelDescription {
  const network = networkOf(view);
  const numbers = hyperparameters(view, network);
  const kvScalars = kvScalarsPerToken(network);
  const typeHistogram = countTypes(view);
  const counts = Object.values(typeHistogram);
  const parameters = counts.reduce((sum, count) => sum + count.parameters, 0);
  const dataBytes = counts.reduce((sum, count) => sum + count.bytes, 0);
  const read = metadataReader(view, 'tokenizer.');
  const tokens = view.metadata.get('tokenizer.ggml.tokens');
  return {
    architecture: numbers.architecture,
    hyperparameters: numbers,
    parameters,
    tensorCount: view.tensors.size,
    typeHistogram,
    bitsPerWeight: parameters > 0 ? (8 * dataBytes) / parameters : 0,
    dataBytes,
    kvBytesPerToken: { f32: 4 * kvScalars, f16: 2 * kvScalars },
    tokenizer: {
      model: read.optionalString('ggml.model'),
      pre: read.optionalString('ggml.pre'),
      vocab: tokens?.type === 'array' ? tokens.value.length : 0,
    },
    chatTemplate: read.has('chat_template'),
  };
}

/** What the blocks keep for every position: of attention one key and one value of every KV head. */
function kvScalarsPerToken({ blocks }: Network): number {
  let scalars = 0;
  for (const { room } of blocks.flatMap(partsOf))
    for (const state of Object.values(statesOf(room)))
      if (state.kind === 'paged') scalars += state.heads * state.headWidth;
  return scalars;
}

function countTypes(view: ModelView): Record<string, TypeCount> {
  const types: Record<string, TypeCount> = {};
  for (const tensor of view.tensors.values()) {
    const { dtype, rows, cols, packed } = tensor;
    const count = (types[packed?.format ?? dtype.name] ??= { tensors: 0, parameters: 0, bytes: 0 });
    count.tensors += 1;
    count.parameters += rows * cols;
    count.bytes += storedBytes(tensor);
  }
  return types;
}
