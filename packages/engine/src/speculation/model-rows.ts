// Runs of tokens of several sequences as one batch of a model: what both kinds of drafting models compute.
import type { Model, OutputBatch } from '@quern/models';
import type { Sequence } from '../scheduling/sequence.ts';

/** Consecutive tokens of a sequence, at its place in the cache. */
export interface Run {
  readonly sequence: Sequence;
  readonly tokens: readonly number[];
  /** Position of the first. */
  readonly first: number;
  /** Whether a guess of what follows the last is wanted. */
  readonly wanted: boolean;
}

/** `outputRows` are the last rows of the wanted runs. */
export function batchOfRuns(runs: readonly Run[], { tableWidth }: Pick<Model, 'tableWidth'>): OutputBatch {
  const total = runs.reduce((sum, { tokens }) => sum + tokens.length, 0);
  const positions = new Int32Array(total);
  const seqs = new Int32Array(total);
  const blockTable = new Int32Array(runs.length * tableWidth);
  const outputRows: number[] = [];
  let t = 0;
  for (const [s, { sequence, tokens, first, wanted }] of runs.entries()) {
    blockTable.set(sequence.blocks, s * tableWidth);
    for (let i = 0; i < tokens.length; i++, t++) {
      positions[t] = first + i;
      seqs[t] = s;
    }
    if (wanted) outputRows.push(t - 1);
  }
  return {
    tokens: Int32Array.from(runs.flatMap(({ tokens }) => [...tokens])),
    positions,
    seqs,
    blockTable,
    slots: Int32Array.from(runs, ({ sequence }) => sequence.slot!),
    outputRows: Int32Array.from(outputRows),
  };
}

export interface Likeliest {
  readonly token: number;
  readonly probability: number;
}

/** The likeliest token of each row of logits that `model` or its draft blocks have just given. */
export async function readLikeliest(model: Model, logits: Awaited<ReturnType<Model['forward']>>): Promise<Likeliest[]> {
  const rows = await model.highest(logits, 1, true);
  return rows.map(({ tokens, logits: [highest], logSumExp }) => ({
    token: tokens[0]!,
    probability: Math.exp(highest! - logSumExp!),
  }));
}

/** The last position that a sequence has memory for. */
export const lastPosition = ({ blocks }: Sequence, { blockTokens }: Pick<Model, 'blockTokens'>): number =>
  blocks.length * blockTokens - 1;
