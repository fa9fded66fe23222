// One pass over a draft block, on the device that computes the network's logits (formula: network.ts).
import type { Tensor } from '@quern/runtime';
import type { BatchLimits } from '../batch-limits.ts';
import { shapeFor } from '../buffers.ts';
import { checkOutputs, checkPairs, checkTokens } from '../check-batch.ts';
import type { MatmulObserver, TokenBatch } from '../model.ts';
import { type NormSpec, type NormWeights, runNorm } from '../norm.ts';
import { observeMatmuls } from '../observe-matmuls.ts';
import { outputLogits } from '../output-logits.ts';
import { type BatchPass, project } from '../pass.ts';
import { bytesOf, type Rank, type Ropes, startPass } from '../rank.ts';
import { runStage, type Stage } from '../stage.ts';
import type { DraftBlocks, DraftPairs } from './draft-blocks.ts';
import { draftBuffers } from './draft-buffers.ts';
import type { DraftWeights } from './draft-weights.ts';

export interface LoadedDraft {
  /** The draft blocks, on one rank whose network has them behind the others. */
  readonly stage: Stage;
  /** On the same device: it has output norm and matrix, and perhaps the embedding. */
  readonly output: Rank;
}

export function draftBlocks(draft: LoadedDraft, limits: BatchLimits, ropes: Ropes): DraftBlocks {
  const { stage, output } = draft;
  const rank = stage.ranks[0]!;
  const count = rank.network.draft.length;
  const compute = async (batch: TokenBatch & DraftPairs, observer?: MatmulObserver): Promise<BatchPass> => {
    const { block = 0 } = batch;
    checkTokens(batch, limits);
    checkPairs(batch, count, limits);
    const pass = startPass(rank, batch, limits, ropes, observer && observeMatmuls(rank.held, rank.device, observer));
    joinPairs(draft, pass, batch, block);
    const number = stage.firstBlock + block;
    await runStage(stage, [pass], { first: number, end: number + 1 });
    const { norm } = rank.network.draft[block]!;
    const weights = rank.held.weights.draft[block]!;
    const hidden = pass.buffer(draftBuffers.ownHidden);
    runNorm(
      rank.device,
      norm ?? rank.network.output.norm!,
      (norm ? weights.norm : output.held.weights.output!.norm)!,
      pass.buffer('residual'),
      hidden,
    );
    if (weights.matrix) pass.observe?.(weights.matrix, hidden);
    return pass;
  };
  return {
    count,
    async forward(batch, observer) {
      checkOutputs(batch, limits);
      const { buffer } = await compute(batch, observer);
      const { matrix } = rank.held.weights.draft[batch.block ?? 0]!;
      return outputLogits(output, buffer(draftBuffers.ownHidden), batch.outputRows, { normed: true, matrix });
    },
    async prefill(batch, observer) {
      await compute(batch, observer);
      await rank.device.sync();
    },
  };
}

/** Fills the residual stream: join · [embeddingNorm(embedding[token]), hiddenNorm(hidden)]. */
function joinPairs({ stage, output }: LoadedDraft, pass: BatchPass, batch: DraftPairs, block: number): void {
  const { device, buffer } = pass;
  const { network, held } = stage.ranks[0]!;
  const { embeddingNorm, hiddenNorm } = network.draft[block]!;
  const weights = held.weights.draft[block]!;
  const [join, rows, half] = [buffer(draftBuffers.join), buffer(draftBuffers.rows), buffer(draftBuffers.half)];
  const normInto = (first: number, norm: NormSpec, of: NormWeights): void => {
    runNorm(device, norm, of, half, half);
    device.run('putColumns', [half], join, { first });
  };
  device.run('embed', [tableOf(weights, output, held.named), buffer('tokens')], half, {});
  const { scale } = network.embedding;
  if (scale !== undefined) device.run('scale', [half], half, { factor: scale });
  normInto(0, embeddingNorm, weights.embeddingNorm);
  device.write(rows, bytesOf(batch.hiddenRows));
  device.run('gatherRows', [hiddenOf(stage.ranks[0]!, batch.from), rows], half, {});
  normInto(network.embeddingLength, hiddenNorm, weights.hiddenNorm);
  project(pass, join, weights.join, undefined, buffer('residual'));
}

/** That of the network lies with the output, where it is the output matrix or the device embeds too. */
const tableOf = ({ table }: DraftWeights, output: Rank, named: (name: string) => Tensor | undefined): Tensor =>
  table ?? output.held.named('token_embd.weight') ?? named('token_embd.weight')!;

/** At its largest: the rows that are asked for are those of another batch. */
const hiddenOf = ({ buffers }: Rank, from: DraftPairs['from']): Tensor =>
  buffers.get(from === 'network' ? draftBuffers.networkHidden : draftBuffers.ownHidden)!;

/** Keeps the hidden states of all tokens of a pass over the network. */
export function keepHidden({ stage, output }: LoadedDraft, { device, buffer }: BatchPass): void {
  const { buffers, bufferShapes, network } = stage.ranks[0]!;
  const residual = buffer('residual');
  const name = draftBuffers.networkHidden;
  const hidden = device.view(buffers.get(name)!, shapeFor(bufferShapes.get(name)!, residual.shape[0]!));
  runNorm(device, network.output.norm!, output.held.weights.output!.norm!, residual, hidden);
}
