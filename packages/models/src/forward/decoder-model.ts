// The forward pass of the llama family, dense or with experts: embed, blocks, final norm, logits of the wanted rows; over
// the devices of a placement one after the other, the residual stream crossing from one to the next through the host.
import { QuernError } from '@quern/errors';
import type { Tensor } from '@quern/runtime';
import type { Hyperparameters } from '../hyperparameters.ts';
import type { Placement } from '../placement/placement.ts';
import type { BatchLimits, OutputBuffers } from './buffers.ts';
import type { StoredWeight } from './held-weights.ts';
import type { BlockInput, MatmulObserver, Model, ModelMemory, OutputBatch, TokenBatch } from './model.ts';
import type { BatchPass } from './pass.ts';
import { bytesOf, type Rank, startPass } from './rank.ts';
import type { RopeFrequencies } from './rope.ts';
import { endOfStage, type Inspect, runStage, type Stage } from './stage.ts';

/** Everything that `loadModel` has prepared on the devices. */
export interface ModelParts {
  readonly hyperparameters: Hyperparameters;
  readonly placement: Placement;
  readonly memory: ModelMemory;
  readonly limits: BatchLimits;
  /** The first embeds, the last computes logits; both on their first rank. */
  readonly stages: readonly Stage[];
  readonly rope: RopeFrequencies;
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
  const { hyperparameters, placement, memory, limits, stages, dispose } = parts;
  return {
    device: stages.at(-1)!.ranks[0]!.device,
    hyperparameters,
    placement,
    memory,
    ...limits,
    async prefill(batch, observer) {
      const reached = stages.filter((stage, i) => i === 0 || hasBlocks(stage));
      await computeBlocks(parts, reached, batch, { observer });
      await Promise.all(reached.at(-1)!.ranks.map(({ device }) => device.sync()));
    },
    forward: (batch, observer) => computeLogits(parts, batch, { observer }),
    forwardFrom: (batch, from) => computeLogits(parts, batch, { from }),
    async residualBefore(block, batch, from) {
      const reached = stages.filter((stage, i) => i === 0 || (hasBlocks(stage) && stage.firstBlock < block));
      const { device, buffers } = await computeBlocks(parts, reached, batch, { from }, block);
      return device.read(buffers.residual);
    },
    replaceWeight: (name, weight) => replaceWeight(stages, name, weight),
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

const hasBlocks = ({ ranks }: Stage): boolean => ranks[0]!.caches.length > 0;

async function computeLogits(parts: ModelParts, batch: OutputBatch, options: PassOptions): Promise<Tensor> {
  const { hyperparameters, limits, stages } = parts;
  const { observer, inspect } = options;
  checkOutputs(batch, limits);
  const { device, buffers } = await computeBlocks(parts, stages, batch, options);
  const rank = stages.at(-1)!.ranks[0]!;
  const { norm, matrix } = rank.held.weights.output!;
  const N = batch.outputRows.length;
  const { rows, normed, logits } = outputViews(rank, N);
  device.write(rows, bytesOf(batch.outputRows));
  device.run('gatherRows', [buffers.residual, rows], normed, {});
  device.run('rmsNorm', [normed, norm], normed, { eps: hyperparameters.rmsEps });
  await inspect?.('output_norm', device, normed);
  observeBy(rank, observer)?.(matrix, normed);
  device.run('matmul', [normed, matrix], logits, {});
  await inspect?.('the output matrix', device, logits);
  return logits;
}

function outputViews({ device, buffers }: Rank, N: number): OutputBuffers {
  const { rows, normed, logits } = buffers.output!;
  return {
    rows: device.view(rows, [N]),
    normed: device.view(normed, [N, normed.shape[1]!]),
    logits: device.view(logits, [N, logits.shape[1]!]),
  };
}

/** Embeds the tokens and runs the blocks of `stages` up to `end`; the pass returned holds the residual stream. */
async function computeBlocks(
  { hyperparameters, limits, rope }: ModelParts,
  stages: readonly Stage[],
  batch: TokenBatch,
  { observer, inspect, from }: PassOptions,
  end = hyperparameters.blockCount,
): Promise<BatchPass> {
  checkTokens(batch, limits);
  if (from) checkBlockInput(batch, from, hyperparameters, end);
  const range = { first: from?.block ?? 0, end };
  let last: BatchPass | undefined;
  for (const [i, stage] of stages.entries()) {
    if (range.first >= endOfStage(stage) && i < stages.length - 1) continue;
    if (observer && stage.ranks.length > 1)
      throw new QuernError('observer-unsupported', 'Inputs of matmuls cannot be observed in a model split by rows.', {
        remedy: 'Split it by layers.',
      });
    const passes = stage.ranks.map((rank) => startPass(rank, batch, limits, rope, observeBy(rank, observer)));
    const [first, ...others] = passes as [BatchPass, ...BatchPass[]];
    if (last) await carry(last, passes);
    else if (from) for (const { device, buffers } of passes) device.write(buffers.residual, from.residual);
    else {
      const { residual, tokens } = first.buffers;
      first.device.run('embed', [stage.ranks[0]!.held.weights.embedding!, tokens], residual, {});
      await inspect?.('token_embd', first.device, residual);
      if (others.length > 0) await carry(first, others);
    }
    await runStage(stage, passes, range, inspect);
    last = first;
  }
  return last!;
}

/** The residual stream, through the host. */
async function carry(from: BatchPass, to: readonly BatchPass[]): Promise<void> {
  const bytes = await from.device.read(from.buffers.residual);
  for (const { device, buffers } of to) device.write(buffers.residual, bytes);
}

function observeBy(rank: Rank, observer: MatmulObserver | undefined): BatchPass['observe'] {
  if (!observer) return undefined;
  const { device, held, hyperparameters } = rank;
  return (weight, input, ids) => {
    const name = held.names.get(weight)!;
    if (ids) observer.onExpertInput(name, input, ids, hyperparameters.experts!.count, device);
    else observer.onMatmulInput(name, input, device);
  };
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

function checkTokens({ tokens, positions, seqs, blockTable }: TokenBatch, limits: BatchLimits): void {
  const { batchTokens, maxSequences, tableWidth } = limits;
  const T = tokens.length;
  if (T < 1 || T > batchTokens) throw invalid(`${T} tokens; a batch has 1 to ${batchTokens}`);
  if (positions.length !== T || seqs.length !== T)
    throw invalid(`${T} tokens with ${positions.length} positions and ${seqs.length} sequence numbers`);
  const S = blockTable.length / tableWidth;
  if (!Number.isInteger(S) || S < 1 || S > maxSequences)
    throw invalid(`a block table of ${blockTable.length} entries; it has 1 to ${maxSequences} rows of ${tableWidth}`);
}

function checkBlockInput(
  { tokens }: TokenBatch,
  { block, residual }: BlockInput,
  { embeddingLength }: Hyperparameters,
  end: number,
): void {
  if (!Number.isInteger(block) || block < 0 || block > end) throw invalid(`it begins with block ${block} of ${end}`);
  const bytes = 4 * tokens.length * embeddingLength;
  if (residual.length !== bytes) throw invalid(`a residual stream of ${residual.length} bytes, not ${bytes}`);
}

function checkOutputs({ outputRows }: OutputBatch, { maxOutputs }: BatchLimits): void {
  if (outputRows.length < 1 || outputRows.length > maxOutputs)
    throw invalid(`${outputRows.length} output rows; a batch has 1 to ${maxOutputs}`);
}

const invalid = (what: string): QuernError => new QuernError('batch-invalid', `Invalid batch: ${what}.`);
