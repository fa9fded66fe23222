// The weights of a draft block beside those of its sub-layers, and of a draft network as the forward pass sees it.
import type { Tensor } from '@quern/runtime';
import type { DraftSpec, Network } from '../network.ts';
import { type NormSpec, type NormWeights, normTensors } from '../norm.ts';
import type { ByRole } from '../rooms.ts';

export interface DraftWeights {
  readonly join: Tensor; // [C, 2·C]
  readonly embeddingNorm: NormWeights;
  readonly hiddenNorm: NormWeights;
  /** Undefined: that of the network's output. */
  readonly norm?: NormWeights;
  /** [vocab, C], where it has an embedding of its own. */
  readonly table?: Tensor;
  /** [vocab, C], where it has an output matrix of its own. */
  readonly matrix?: Tensor;
}

/** Names within the block. */
export const draftNames = {
  join: 'nextn.eh_proj.weight',
  table: 'nextn.embed_tokens.weight',
  matrix: 'nextn.shared_head_head.weight',
} as const;

/** `loaded`: by name. */
export function arrangeDraft({ blocks, draft }: Network, loaded: ReadonlyMap<string, Tensor>): DraftWeights[] {
  const first = blocks.length - draft.length;
  return draft.map(({ embeddingNorm, hiddenNorm, norm }: DraftSpec, i) => {
    const find = (name: string) => loaded.get(`blk.${first + i}.${name}`);
    const normed = (spec: NormSpec): NormWeights => {
      const found: Record<string, Tensor> = {};
      for (const [role, { name }] of Object.entries(normTensors(spec, 0))) found[role] = find(name)!;
      return found as ByRole<Tensor>;
    };
    return {
      join: find(draftNames.join)!,
      embeddingNorm: normed(embeddingNorm),
      hiddenNorm: normed(hiddenNorm),
      norm: norm && normed(norm),
      table: find(draftNames.table),
      matrix: find(draftNames.matrix),
    };
  });
}

/** The network with its draft blocks numbered on behind the others: what the device sees that runs them. */
export const withDraftBlocks = (network: Network): Network => ({
  ...network,
  blocks: [...network.blocks, ...network.draft.map(({ block }) => block)],
});
