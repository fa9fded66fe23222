// The forward pass of the llama family, dense or with experts: embed, blocks, final norm, logits of the wanted rows.
import { QuernError } from '@quern/errors';
import type { Device, Tensor } from '@quern/runtime';
import type { Hyperparameters } from '../hyperparameters.ts';
import { runBlock } from './block.ts';
import { type BatchLimits, type Buffers, type LayerCache, mapBuffers } from './buffers.ts';
import type { MatmulObserver, Model, ModelMemory, OutputBatch, TokenBatch } from './model.ts';
import type { BatchPass } from './pass.ts';
import { fillRope, type RopeFrequencies } from './rope.ts';
import type { Weights } from './weights.ts';

/** Everything that `loadModel` has prepared on the device. */
export interface ModelParts {
  readonly device: Device;
  readonly hyperparameters: Hyperparameters;
  readonly memory: ModelMemory;
  readonly limits: BatchLimits;
  readonly weights: Weights;
  /** GGUF names of the weights, for observers. */
  readonly weightNames: ReadonlyMap<Tensor, string>;
  readonly caches: readonly LayerCache[];
  readonly buffers: Buffers;
  readonly rope: RopeFrequencies;
  /** All allocations, for `dispose`. */
  readonly owned: readonly Tensor[];
}

export function decoderModel(parts: ModelParts): Model {
  const { device, hyperparameters, memory, limits, weights } = parts;
  return {
    device,
    hyperparameters,
    memory,
    ...limits,
    prefill: (batch, observer) => void computeBlocks(parts, batch, observer),
    forward(batch, observer) {
      checkOutputs(batch, limits);
      const views = computeBlocks(parts, batch, observer);
      const N = batch.outputRows.length;
      const rows = device.view(parts.buffers.outputRows, [N]);
      const outputs = device.view(parts.buffers.outputs, [N, hyperparameters.embeddingLength]);
      const logits = device.view(parts.buffers.logits, [N, hyperparameters.vocabSize]);
      device.write(rows, bytesOf(batch.outputRows));
      device.run('gatherRows', [views.residual, rows], outputs, {});
      device.run('rmsNorm', [outputs, weights.outputNorm], outputs, { eps: hyperparameters.rmsEps });
      observeBy(parts, observer)?.(weights.output, outputs);
      device.run('matmul', [outputs, weights.output], logits, {});
      return logits;
    },
    dispose() {
      for (const tensor of parts.owned) device.free(tensor);
    },
  };
}

/** Embeds the tokens and runs every block; the returned views hold the residual stream. */
function computeBlocks(parts: ModelParts, batch: TokenBatch, observer?: MatmulObserver): Buffers {
  const { device, hyperparameters, limits, weights, caches } = parts;
  checkTokens(batch, limits);
  const views = viewsOf(parts, batch);
  device.write(views.tokens, bytesOf(batch.tokens));
  device.write(views.positions, bytesOf(batch.positions));
  device.write(views.seqs, bytesOf(batch.seqs));
  device.write(views.blockTable, bytesOf(batch.blockTable));
  writeRope(parts, batch.positions, views);
  device.run('embed', [weights.embedding, views.tokens], views.residual, {});
  const { blockTokens } = limits;
  const pass: BatchPass = { device, hyperparameters, buffers: views, blockTokens, observe: observeBy(parts, observer) };
  for (const [i, block] of weights.blocks.entries()) runBlock(pass, block, caches[i]!);
  return views;
}

function observeBy({ weightNames, hyperparameters }: ModelParts, observer?: MatmulObserver): BatchPass['observe'] {
  if (!observer) return undefined;
  return (weight, input, ids) => {
    const name = weightNames.get(weight)!;
    if (ids) observer.onExpertInput(name, input, ids, hyperparameters.experts!.count);
    else observer.onMatmulInput(name, input);
  };
}

function writeRope({ device, rope }: ModelParts, positions: Int32Array, { cos, sin }: Buffers): void {
  const size = positions.length * rope.inverse.length;
  const cosines = new Float32Array(size);
  const sines = new Float32Array(size);
  fillRope(rope, positions, cosines, sines);
  device.write(cos, bytesOf(cosines));
  device.write(sin, bytesOf(sines));
}

/** The first T tokens and S sequences of every buffer. */
function viewsOf({ device, buffers, limits }: ModelParts, batch: TokenBatch): Buffers {
  const T = batch.tokens.length;
  // A buffer may have several rows per token: one for each expert it uses.
  const first = (tensor: Tensor): Tensor => {
    const [rows, ...rest] = tensor.shape;
    return device.view(tensor, [(T * rows!) / limits.batchTokens, ...rest]);
  };
  const { outputRows, outputs, logits, blockTable, ...perToken } = buffers;
  const sequences = batch.blockTable.length / limits.tableWidth;
  const table = device.view(blockTable, [sequences, limits.tableWidth]);
  return { ...mapBuffers(perToken, first), outputRows, outputs, logits, blockTable: table };
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

function checkOutputs({ outputRows }: OutputBatch, { maxOutputs }: BatchLimits): void {
  if (outputRows.length < 1 || outputRows.length > maxOutputs)
    throw invalid(`${outputRows.length} output rows; a batch has 1 to ${maxOutputs}`);
}

const invalid = (what: string): QuernError => new QuernError('batch-invalid', `Invalid batch: ${what}.`);

const bytesOf = (array: Int32Array | Float32Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
