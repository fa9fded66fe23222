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

/** What any set of tensors is, whatever model it belongs to. */
export interface TensorsDescription {
  /** Weights in all tensors, those of a tied output matrix once. */
  parameters: number;
  tensorCount: number;
  /** By type name, in order of first appearance. */
  typeHistogram: Record<string, TypeCount>;
  /** Stored bits per weight over all tensors, scales included. */
  bitsPerWeight: number;
  /** Bytes of tensor data, without padding and header. */
  dataBytes: number;
}

export interface ModelDescription extends TensorsDescription {
  architecture: string;
  hyperparameters: Hyperparameters;
  /** Bytes that one token occupies in the key-value cache, all layers together. */
  kvBytesPerToken: { f32: number; f16: number };
  tokenizer: TokenizerDescription;
  chatTemplate: boolean;
}

export interface TokenizerDescription {
  model?: string;
  pre?: string;
  vocab: number;
}

/** @throws QuernError those of `hyperparameters` */
export function describeModel(view: ModelView): ModelDescription {
  const network = networkOf(view);
  const numbers = hyperparameters(view, network);
  const kvScalars = kvScalarsPerToken(network);
  return {
    architecture: numbers.architecture,
    hyperparameters: numbers,
    ...describeTensors(view.tensors),
    kvBytesPerToken: { f32: 4 * kvScalars, f16: 2 * kvScalars },
    tokenizer: describeTokenizer(view),
    chatTemplate: view.metadata.has('tokenizer.chat_template'),
  };
}

export function describeTensors(tensors: ModelView['tensors']): TensorsDescription {
  const typeHistogram = countTypes(tensors);
  const counts = Object.values(typeHistogram);
  const parameters = counts.reduce((sum, count) => sum + count.parameters, 0);
  const dataBytes = counts.reduce((sum, count) => sum + count.bytes, 0);
  const bitsPerWeight = parameters > 0 ? (8 * dataBytes) / parameters : 0;
  return { parameters, tensorCount: tensors.size, typeHistogram, bitsPerWeight, dataBytes };
}

function describeTokenizer(view: Pick<ModelView, 'path' | 'metadata'>): TokenizerDescription {
  const read = metadataReader(view, 'tokenizer.ggml.');
  const tokens = view.metadata.get('tokenizer.ggml.tokens');
  const vocab = tokens?.type === 'array' ? tokens.value.length : 0;
  return { model: read.optionalString('model'), pre: read.optionalString('pre'), vocab };
}

/** What the blocks keep for every position: of attention one key and one value of every KV head. */
function kvScalarsPerToken({ blocks }: Network): number {
  let scalars = 0;
  for (const { room } of blocks.flatMap(partsOf))
    for (const state of Object.values(statesOf(room)))
      if (state.kind === 'paged') scalars += state.heads * state.headWidth;
  return scalars;
}

function countTypes(tensors: ModelView['tensors']): Record<string, TypeCount> {
  const types: Record<string, TypeCount> = {};
  for (const tensor of tensors.values()) {
    const { dtype, rows, cols, packed } = tensor;
    const count = (types[packed?.format ?? dtype.name] ??= { tensors: 0, parameters: 0, bytes: 0 });
    count.tensors += 1;
    count.parameters += rows * cols;
    count.bytes += storedBytes(tensor);
  }
  return types;
}
