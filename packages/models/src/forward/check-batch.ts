// What a batch must be, checked before a device sees it, and what a network can be asked for.
import { QuernError } from '@quern/errors';
import type { BatchLimits } from './batch-limits.ts';
import type { DraftPairs } from './draft/draft-blocks.ts';
import type { BlockInput, OutputBatch, TokenBatch } from './model.ts';
import type { Network } from './network.ts';
import type { PoolingSpec } from './pooling.ts';

export function checkTokens(
  { tokens, positions, seqs, blockTable, slots, kinds }: TokenBatch,
  limits: BatchLimits,
): void {
  const { batchTokens, maxSequences, tableWidth } = limits;
  const T = tokens.length;
  if (T < 1 || T > batchTokens) throw invalid(`${T} tokens; a batch has 1 to ${batchTokens}`);
  if (positions.length !== T || seqs.length !== T)
    throw invalid(`${T} tokens with ${positions.length} positions and ${seqs.length} sequence numbers`);
  if (kinds && kinds.length !== T) throw invalid(`${T} tokens with ${kinds.length} kinds`);
  const S = blockTable.length / tableWidth;
  if (!Number.isInteger(S) || S < 1 || S > maxSequences)
    throw invalid(`a block table of ${blockTable.length} entries; it has 1 to ${maxSequences} rows of ${tableWidth}`);
  if (slots && slots.length !== S) throw invalid(`${S} sequences with ${slots.length} slots`);
  if ((slots ?? [S - 1]).some((slot) => slot < 0 || slot >= limits.slots))
    throw invalid(`a slot that is none of ${limits.slots}`);
}

export function checkAdapterScales(
  { blockTable, adapterScales }: TokenBatch,
  { tableWidth }: BatchLimits,
  adapters: number,
): void {
  const S = blockTable.length / tableWidth;
  if (adapterScales && adapterScales.length !== S * adapters)
    throw invalid(`${adapterScales.length} scales for ${S} sequences and ${adapters} adapters`);
  if (adapterScales?.some((scale) => !Number.isFinite(scale))) throw invalid('a scale that is no finite number');
}

export function checkBlockInput(
  { tokens }: TokenBatch,
  { block, residual }: BlockInput,
  { embeddingLength }: Network,
  end: number,
): void {
  if (!Number.isInteger(block) || block < 0 || block > end) throw invalid(`it begins with block ${block} of ${end}`);
  const bytes = 4 * tokens.length * embeddingLength;
  if (residual.length !== bytes) throw invalid(`a residual stream of ${residual.length} bytes, not ${bytes}`);
}

export function checkPairs(
  { tokens, block = 0, hiddenRows }: TokenBatch & DraftPairs,
  count: number,
  { batchTokens }: BatchLimits,
): void {
  if (!Number.isInteger(block) || block < 0 || block >= count) throw invalid(`draft block ${block} of ${count}`);
  if (hiddenRows.length !== tokens.length)
    throw invalid(`${tokens.length} tokens with ${hiddenRows.length} hidden states`);
  const wrong = hiddenRows.find((row) => row < 0 || row >= batchTokens);
  if (wrong !== undefined) throw invalid(`the hidden state of row ${wrong}; a batch has ${batchTokens}`);
}

export function requireLogits({ architecture, output }: Network): void {
  if (output.headless)
    throw new QuernError('no-logits', `A ${architecture} model turns texts into vectors: it has no logits.`, {
      remedy: 'Ask for the vectors: quern embed.',
    });
}

export function requirePooling({ architecture, pooling }: Network): PoolingSpec {
  if (pooling) return pooling;
  throw new QuernError('no-pooling', `The ${architecture} model does not say how a text becomes one vector.`, {
    remedy: 'Say it: --pooling mean, cls or last.',
  });
}

/** Learned positions end somewhere, and nothing stands for those behind. */
export function checkPositions({ positions }: TokenBatch, { architecture, embedding }: Network): void {
  const last = positions.reduce((most, position) => Math.max(most, position), 0);
  if (embedding.positions !== undefined && last >= embedding.positions)
    throw new QuernError(
      'context-exceeded',
      `This ${architecture} model has learned ${embedding.positions} positions, and the text goes on to ${last + 1}.`,
      { remedy: 'Give a shorter text.' },
    );
}

export function checkOutputs({ outputRows }: OutputBatch, { maxOutputs }: BatchLimits): void {
  if (outputRows.length < 1 || outputRows.length > maxOutputs)
    throw invalid(`${outputRows.length} output rows; a batch has 1 to ${maxOutputs}`);
}

const invalid = (what: string): QuernError => new QuernError('batch-invalid', `Invalid batch: ${what}.`);
