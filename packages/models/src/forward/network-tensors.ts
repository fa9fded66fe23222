// Which tensors a network consists of, by its own account: every room of every block says what it wants. Loading holds
// the file to this list. A tensor that nobody would use is refused: it belongs to a network we do not compute.
import type { ModelView, TensorView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { inF32 } from '../change/mapped-values.ts';
import { draftNames } from './draft/draft-weights.ts';
import { positionTable, typeTable } from './embed-tokens.ts';
import { type BlockSpec, type DraftSpec, type Network, partsOf } from './network.ts';
import { type NormSpec, normTensors } from './norm.ts';
import { perLayerTensors } from './per-layer-inputs.ts';
import type { RoomTensor } from './room.ts';
import { roomOf } from './rooms.ts';
import { distinctRopes } from './rope.ts';

export interface NetworkTensor {
  /** GGUF name. */
  readonly name: string;
  readonly shape: readonly number[];
  /**
   * Who has it: a block, whoever embeds (`embedding`: the table that may be the output matrix too), whoever computes
   * logits, or the host alone.
   */
  readonly of: number | 'embedding' | 'inputs' | 'output' | 'host';
  /** Where it stands in its block: number of the part, and what the part's room says of it. */
  readonly part?: { readonly index: number; readonly wanted: RoomTensor };
}

export function networkTensors(network: Network): NetworkTensor[] {
  const { vocabSize, embeddingLength: C, output, blocks, draft } = network;
  const ownOutput = !output.tied && !output.headless;
  return [
    { name: 'token_embd.weight', shape: [vocabSize, C], of: 'embedding' },
    ...perLayerTensors(network).map((tensor) => ({ ...tensor, of: 'inputs' }) as const),
    ...inputTensors(network),
    ...wholeNorm(output.norm, C, 'output'),
    ...(ownOutput ? [{ name: 'output.weight', shape: [vocabSize, C], of: 'output' } as const] : []),
    ...(output.biased ? [{ name: 'output.bias', shape: [vocabSize], of: 'output' } as const] : []),
    ...(network.pooling?.dense ?? []).flatMap(({ name, rows, cols, bias }) => [
      { name, shape: [rows, cols], of: 'output' } as const,
      ...(bias === undefined ? [] : [{ name: bias, shape: [rows], of: 'output' } as const]),
    ]),
    ...divisors(network),
    ...blocks.flatMap((block, i) => blockTensors(block, C, i)),
    ...draft.flatMap((spec, i) => draftTensors(spec, network, blocks.length + i)),
  ];
}

const wholeNorm = (norm: NormSpec | undefined, width: number, of: 'inputs' | 'output'): NetworkTensor[] =>
  norm ? Object.values(normTensors(norm, width)).map(({ name, shape }) => ({ name, shape, of })) : [];

/** What is added to the rows of the embedding, and the norm behind it. */
function inputTensors({ embeddingLength: C, embedding }: Network): NetworkTensor[] {
  const { positions, tokenTypes, norm } = embedding;
  const table = (name: string, rows: number | undefined): NetworkTensor[] =>
    rows === undefined ? [] : [{ name, shape: [rows, C], of: 'inputs' }];
  return [...table(positionTable, positions), ...table(typeTable, tokenTypes), ...wholeNorm(norm, C, 'inputs')];
}

function draftTensors(spec: DraftSpec, { vocabSize, embeddingLength: C }: Network, i: number): NetworkTensor[] {
  const { block, embeddingNorm, hiddenNorm, norm, ownEmbedding, ownOutput } = spec;
  const norms = [embeddingNorm, hiddenNorm, ...(norm ? [norm] : [])].flatMap((of) => Object.values(normTensors(of, C)));
  const own = [
    ...norms,
    { name: draftNames.join, shape: [C, 2 * C] },
    ...(ownEmbedding ? [{ name: draftNames.table, shape: [vocabSize, C] }] : []),
    ...(ownOutput ? [{ name: draftNames.matrix, shape: [vocabSize, C] }] : []),
  ];
  return [...own.map(({ name, shape }) => ({ name: `blk.${i}.${name}`, shape, of: i })), ...blockTensors(block, C, i)];
}

/** Of rope, once each, whatever number of blocks share them. */
function divisors({ blocks }: Network): NetworkTensor[] {
  const named = new Map<string, NetworkTensor>();
  for (const { divisors: whole, byContext, dims } of distinctRopes(blocks).values())
    for (const name of [whole, byContext?.short, byContext?.long])
      if (name !== undefined) named.set(name, { name, shape: [dims / 2], of: 'host' });
  return [...named.values()];
}

function blockTensors(block: BlockSpec, width: number, i: number): NetworkTensor[] {
  const named = (name: string) => `blk.${i}.${name}`;
  const norms = block.subLayers.flatMap(({ before, after, onStream, parts }) =>
    [before, after, onStream, ...parts.flatMap((part) => [part.before, part.after])].filter(
      (norm) => norm !== undefined,
    ),
  );
  const scales = block.subLayers.flatMap(({ streamScale }) => streamScale ?? []);
  return [
    ...scales.map((name) => ({ name: named(`${name}.weight`), shape: [1], of: i })),
    ...norms.flatMap((norm: NormSpec) =>
      Object.values(normTensors(norm, width)).map(({ name, shape }) => ({ name: named(name), shape, of: i })),
    ),
    ...partsOf(block).flatMap(({ room }, index) =>
      Object.values(roomOf(room).tensors(room, width)).map((wanted) => ({
        name: named(wanted.name),
        shape: wanted.shape,
        of: i,
        part: { index, wanted },
      })),
    ),
  ];
}

/** A tensor of the network, and where its values are. */
export interface WantedTensor extends Omit<NetworkTensor, 'name' | 'shape'> {
  readonly tensor: TensorView;
}

/** Only matrices keep their stored dtype: vectors are small, and devices take norms and biases as F32. */
export const isMatrix = (view: TensorView): boolean => view.shape.length > 1;

/**
 * The tensors to load, checked against the network.
 * @throws QuernError `tensor-missing`, `tensor-unexpected`, `tensor-wrong-shape`
 */
export function wantedTensors(view: ModelView, network: Network): WantedTensor[] {
  const expected = networkTensors(network);
  const wanted = expected.map(({ name, shape, ...rest }) => {
    const tensor = find(view, name, shape);
    return { tensor: rest.part?.wanted.plain ? inF32(tensor) : tensor, ...rest };
  });
  const names = new Set([...expected.map(({ name }) => name), ...(network.unused ?? [])]);
  for (const { name, file, offset } of view.tensors.values())
    if (!names.has(name))
      throw new QuernError('tensor-unexpected', `A ${network.architecture} model has no such tensor.`, {
        file,
        tensor: name,
        offset,
        remedy: 'The file describes a network that this version does not compute.',
      });
  return wanted;
}

/** Packed weights stay packed in memory where a ggml type holds the same values. */
const smallestForm = (tensor: TensorView): TensorView =>
  tensor.packed?.exact.find(({ values }) => values === 'same')?.view ?? tensor;

function find(view: ModelView, name: string, shape: readonly number[]): TensorView {
  const tensor = view.tensors.get(name);
  if (!tensor) throw new QuernError('tensor-missing', 'The model lacks a tensor.', { file: view.path, tensor: name });
  if (tensor.shape.length !== shape.length || tensor.shape.some((size, axis) => size !== shape[axis]))
    throw new QuernError(
      'tensor-wrong-shape',
      `The tensor has shape [${tensor.shape.join(', ')}], the metadata asks for [${shape.join(', ')}].`,
      { file: tensor.file, tensor: name, offset: tensor.offset },
    );
  return smallestForm(tensor);
}
