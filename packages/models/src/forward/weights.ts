// Gives every tensor that a device has loaded its place in the network.
import type { Tensor } from '@quern/runtime';
import { arrangeDraft, type DraftWeights } from './draft/draft-weights.ts';
import { type EmbeddingWeights, positionTable, typeTable } from './embed-tokens.ts';
import type { Holding } from './holding.ts';
import type { BlockSpec, Network, PartSpec, SubLayerSpec } from './network.ts';
import { type NormSpec, type NormWeights, normTensors } from './norm.ts';
import { type PerLayerWeights, perLayerWeights } from './per-layer-inputs.ts';
import type { DenseWeights } from './pooling.ts';
import { type ByRole, roomOf } from './rooms.ts';

export interface PartWeights {
  readonly room: ByRole<Tensor>;
  readonly before?: NormWeights;
  readonly after?: NormWeights;
}

export interface SubLayerWeights {
  readonly before?: NormWeights;
  readonly parts: readonly PartWeights[];
  readonly after?: NormWeights;
  readonly streamScale?: Tensor; // [1]
  readonly onStream?: NormWeights;
}

/** Of one block: one per sub-layer. */
export type BlockWeights = readonly SubLayerWeights[];

/** Of one device. */
export interface Weights {
  /** On the device that embeds the tokens. */
  readonly embedding?: EmbeddingWeights;
  /** There too, where every block has an input of its own. */
  readonly perLayer?: PerLayerWeights;
  /** Of the blocks of the device. */
  readonly blocks: readonly BlockWeights[];
  /** Of its draft blocks, beside those of the blocks that they are. */
  readonly draft: readonly DraftWeights[];
  /** On the device that computes logits. */
  readonly output?: OutputWeights;
}

export interface OutputWeights {
  readonly norm?: NormWeights;
  /** The embedding when the model is tied; undefined when the network gives no logits. */
  readonly matrix?: Tensor;
  readonly bias?: Tensor; // [vocab]
  /** Behind the pooling. */
  readonly dense: readonly DenseWeights[];
}

/** `loaded`: by name. */
export function arrangeWeights(network: Network, loaded: ReadonlyMap<string, Tensor>, holding: Holding): Weights {
  const { firstBlock, endBlock, embedding, output, draft } = holding;
  const table = loaded.get('token_embd.weight');
  const { norm, tied, headless, biased } = network.output;
  const named: Find = (name) => loaded.get(name)!;
  return {
    ...(embedding && {
      embedding: {
        table: table!,
        positions: loaded.get(positionTable),
        types: loaded.get(typeTable),
        norm: normWeights(network.embedding.norm, named),
      },
    }),
    ...(embedding && network.embedding.perLayer && { perLayer: perLayerWeights(loaded) }),
    blocks: network.blocks
      .slice(firstBlock, endBlock)
      .map((block, i) =>
        blockWeights(block, network.embeddingLength, (name) => loaded.get(`blk.${firstBlock + i}.${name}`)!),
      ),
    draft: draft ? arrangeDraft(network, loaded) : [],
    ...(output && {
      output: {
        norm: normWeights(norm, named),
        ...(!headless && { matrix: tied ? table! : named('output.weight') }),
        ...(biased && { bias: named('output.bias') }),
        dense: (network.pooling?.dense ?? []).map(({ name, bias }) => ({
          matrix: named(name),
          ...(bias !== undefined && { bias: named(bias) }),
        })),
      },
    }),
  };
}

type Find = (name: string) => Tensor;

function blockWeights({ subLayers }: BlockSpec, width: number, find: Find): BlockWeights {
  const part = ({ room, before, after }: PartSpec): PartWeights => ({
    room: byRole(roomOf(room).tensors(room, width), find),
    before: normWeights(before, find),
    after: normWeights(after, find),
  });
  return subLayers.map(({ before, parts, after, onStream, streamScale }: SubLayerSpec) => ({
    before: normWeights(before, find),
    parts: parts.map(part),
    after: normWeights(after, find),
    onStream: normWeights(onStream, find),
    ...(streamScale !== undefined && { streamScale: find(`${streamScale}.weight`) }),
  }));
}

const normWeights = (norm: NormSpec | undefined, find: Find): NormWeights | undefined =>
  norm && byRole(normTensors(norm, 0), find);

const byRole = (wanted: object, find: Find): ByRole<Tensor> =>
  Object.fromEntries(Object.entries(wanted).map(([role, { name }]: [string, { name: string }]) => [role, find(name)]));
