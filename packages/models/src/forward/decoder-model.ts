// The forward pass of a decoder: embed, blocks, final norm, logits of the wanted rows; over the devices
// of a placement one after the other, the residual stream crossing from one to the next through the host.
import { QuernError } from '@quern/errors';
import type { Tensor } from '@quern/runtime';
import type { Hyperparameters } from '../hyperparameters.ts';
import type { Placement } from '../placement/placement.ts';
import { outputAdapters } from './adapters/adapter-pass.ts';
import type { BatchLimits } from './batch-limits.ts';
import {
  checkAdapterScales,
  checkBlockInput,
  checkOutputs,
  checkPositions,
  checkTokens,
  requireLogits,
  requirePooling,
} from './check-batch.ts';
import { draftBlocks, keepHidden, type LoadedDraft } from './draft/draft-pass.ts';
import { embedTokens } from './embed-tokens.ts';
import type { StoredWeight } from './held-weights.ts';
import { highestLogits, MOST_HIGHEST_LOGITS } from './highest-logits.ts';
import type { BlockInput, MatmulObserver, Model, ModelMemory, OutputBatch, TokenBatch } from './model.ts';
import type { Network } from './network.ts';
import { observeMatmuls } from './observe-matmuls.ts';
import { outputLogits } from './output-logits.ts';
import type { BatchPass } from './pass.ts';
import { computePerLayerInputs, perLayerInputs } from './per-layer-inputs.ts';
import { pool } from './pooling.ts';
import { type Rank, type Ropes, startPass } from './rank.ts';
import { type Inspect, runStage, type Stage } from './stage.ts';
import { sequenceState } from './state/sequence-state.ts';

/** Everything that `loadModel` has prepared on the devices. */
export interface ModelParts {
  readonly network: Network;
  /** For people. */
  readonly hyperparameters: Hyperparameters;
  readonly placement: Placement;
  readonly memory: ModelMemory;
  readonly limits: BatchLimits;
  /** How many there are. */
  readonly adapters: number;
  /** The first embeds, the last computes logits; both on their first rank. */
  readonly stages: readonly Stage[];
  /** When it was asked for. */
  readonly draft?: LoadedDraft;
  readonly ropes: Ropes;
  /** Frees all allocations. */
  readonly dispose: () => void;
}

interface PassOptions {
  readonly observer?: MatmulObserver;
  readonly inspect?: Inspect;
  /** Begin here instead of with the tokens. */
  readonly from?: BlockInput;
}

export function decoderModel(parts: ModelParts): Model {
  const { network, hyperparameters, placement, memory, adapters, limits, stages, draft, ropes, dispose } = parts;
  const all = draft ? [...stages, draft.stage] : stages;
  return {
    device: stages.at(-1)!.ranks[0]!.device,
    hyperparameters,
    placement,
    memory,
    adapters,
    ...limits,
    state: sequenceState(all, limits),
    ...(draft && { draft: draftBlocks(draft, limits, ropes) }),
    async prefill(batch, observer) {
      const reached = draft ? stages : stages.filter((stage, i) => i === 0 || hasBlocks(stage));
      const pass = await computeBlocks(parts, reached, batch, { observer });
      if (draft) keepHidden(draft, pass);
      await Promise.all(reached.at(-1)!.ranks.map(({ device }) => device.sync()));
    },
    forward: (batch, observer) => computeLogits(parts, batch, { observer }),
    mostHighest: Math.min(MOST_HIGHEST_LOGITS, network.vocabSize),
    highest: (logits, count, withSums) => highestLogits(stages.at(-1)!.ranks[0]!, logits, count, withSums),
    forwardFrom: (batch, from) => computeLogits(parts, batch, { from }),
    async residualBefore(block, batch, from) {
      const reached = stages.filter((stage, i) => i === 0 || (hasBlocks(stage) && stage.firstBlock < block));
      const { device, buffer } = await computeBlocks(parts, reached, batch, { from }, block);
      return device.read(buffer('residual'));
    },
    pooling: network.pooling,
    embed: (batch, observer) => computePooled(parts, batch, observer),
    replaceWeight: (name, weight) => replaceWeight(all, name, weight),
    async locateNonFinite(batch) {
      let found: string | undefined;
      const inspect: Inspect = async (name, device, values) => {
        if (found === undefined && !areFinite(await device.read(values))) found = name;
      };
      await computeLogits(parts, batch, { inspect });
      return found;
    },
    dispose,
  };
}

const hasBlocks = ({ firstBlock, endBlock }: Stage): boolean => endBlock > firstBlock;

async function computeLogits(parts: ModelParts, batch: OutputBatch, options: PassOptions): Promise<Tensor> {
  const { network, limits, stages, draft } = parts;
  requireLogits(network);
  checkOutputs(batch, limits);
  const pass = await computeBlocks(parts, stages, batch, options);
  if (draft) keepHidden(draft, pass);
  const rank = stages.at(-1)!.ranks[0]!;
  return outputLogits(rank, pass.buffer('residual'), batch.outputRows, {
    observe: observeBy(rank, options.observer),
    inspect: options.inspect,
    ...(rank.adapters && { adapters: outputAdapters(rank, rank.adapters, batch) }),
  });
}

/** One vector for every sequence of the batch, which has all of each. */
async function computePooled(parts: ModelParts, batch: TokenBatch, observer?: MatmulObserver): Promise<Tensor> {
  const { network, stages } = parts;
  const spec = requirePooling(network);
  const { device, buffer } = await computeBlocks(parts, stages, batch, { observer });
  const rank = stages.at(-1)!.ranks[0]!;
  return pool({
    ...{ device, buffer, spec, batch, residual: buffer('residual'), norm: network.output.norm },
    weights: rank.held.weights.output!,
    observe: observeBy(rank, observer),
  });
}

/** Embeds the tokens and runs the blocks of `stages` up to `end`; the pass returned holds the residual stream. */
async function computeBlocks(
  { network, limits, ropes, adapters }: ModelParts,
  stages: readonly Stage[],
  batch: TokenBatch,
  { observer, inspect, from }: PassOptions,
  end = network.blocks.length,
): Promise<BatchPass> {
  checkTokens(batch, limits);
  checkAdapterScales(batch, limits, adapters);
  checkPositions(batch, network);
  if (from) checkBlockInput(batch, from, network, end);
  const range = { first: from?.block ?? 0, end };
  const { perLayer } = network.embedding;
  let last: BatchPass | undefined;
  for (const [i, stage] of stages.entries()) {
    if (range.first >= stage.endBlock && i < stages.length - 1 && !(i === 0 && perLayer)) continue;
    if (observer && stage.ranks.length > 1)
      throw new QuernError('observer-unsupported', 'Inputs of matmuls cannot be observed in a model split by rows.', {
        remedy: 'Split it by layers.',
      });
    const passes = stage.ranks.map((rank) => startPass(rank, batch, limits, ropes, observeBy(rank, observer)));
    const [first, ...others] = passes as [BatchPass, ...BatchPass[]];
    if (last) await carry(last, passes, network);
    else {
      // Inputs of the blocks follow from the tokens, wherever the stream begins.
      if (!from || perLayer) {
        embed(network, stage.ranks[0]!, first, batch);
        await inspect?.('token_embd', first.device, first.buffer('residual'));
        if (others.length > 0) await carry(first, others, network);
      }
      if (from) for (const { device, buffer } of passes) device.write(buffer('residual'), from.residual);
    }
    await runStage(stage, passes, range, inspect);
    last = first;
  }
  return last!;
}

function embed({ embedding }: Network, { held: { weights } }: Rank, pass: BatchPass, { kinds }: TokenBatch): void {
  embedTokens(pass, embedding, weights.embedding!, kinds);
  if (embedding.perLayer) computePerLayerInputs(pass, embedding.perLayer, weights.perLayer!);
}

/** The residual stream, and what goes along with it, through the host. */
async function carry(from: BatchPass, to: readonly BatchPass[], { embedding }: Network): Promise<void> {
  for (const name of ['residual', ...(embedding.perLayer ? [perLayerInputs] : [])]) {
    const bytes = await from.device.read(from.buffer(name));
    for (const { device, buffer } of to) device.write(buffer(name), bytes);
  }
}

function observeBy(rank: Rank, observer: MatmulObserver | undefined): BatchPass['observe'] {
  if (!observer) return undefined;
  return observeMatmuls(rank.held, rank.device, observer);
}

function replaceWeight(stages: readonly Stage[], name: string, { dtype, bytes }: StoredWeight): void {
  if (stages.some(({ ranks }) => ranks.length > 1))
    throw new QuernError('replacement-unsupported', 'Weights of a model split by rows cannot be replaced.', {
      remedy: 'Split it by layers.',
    });
  let found = false;
  for (const { ranks } of stages) {
    const { device, held } = ranks[0]!;
    const tensor = held.replace(name, dtype);
    if (tensor) device.write(tensor, bytes);
    found ||= tensor !== undefined;
  }
  if (!found) throw new QuernError('tensor-missing', 'The model has no such weight.', { tensor: name });
}

function areFinite(bytes: Uint8Array): boolean {
  let zero = 0;
  for (const value of new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)) zero += value * 0;
  return zero === 0;
}
