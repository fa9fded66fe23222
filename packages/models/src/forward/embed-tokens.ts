// What enters the first block:
//   x = norm(scale · table[token] + positions[position] + types[kind])        each part only where the network has it
import type { Tensor } from '@quern/runtime';
import type { EmbeddingSpec } from './network.ts';
import { type NormWeights, runNorm } from './norm.ts';
import type { BatchPass } from './pass.ts';
import { bytesOf } from './rank.ts';

export interface EmbeddingWeights {
  readonly table: Tensor; // [vocab, C]
  readonly positions?: Tensor; // [positions, C]
  readonly types?: Tensor; // [types, C]
  readonly norm?: NormWeights;
}

/** Names of the tensors beside the table. */
export const positionTable = 'position_embd.weight';
export const typeTable = 'token_types.weight';

/** Whether rows of several tables are added: that takes a buffer `embedded`, and one for `types`. */
export const addsRows = ({ positions, tokenTypes }: EmbeddingSpec): boolean =>
  positions !== undefined || tokenTypes !== undefined;

/** Fills `residual`. @param kinds of the tokens; undefined: all are of the first kind */
export function embedTokens(
  { device, buffer, adapters, nameOf }: BatchPass,
  { scale, norm, tokenTypes = 0 }: EmbeddingSpec,
  weights: EmbeddingWeights,
  kinds?: Int32Array,
): void {
  const residual = buffer('residual');
  device.run('embed', [weights.table, buffer('tokens')], residual, {});
  adapters?.addToRows(residual, nameOf(weights.table), buffer('tokens'));
  if (scale !== undefined) device.run('scale', [residual], residual, { factor: scale });
  const addRows = (table: Tensor, ids: Tensor): void => {
    device.run('embed', [table, ids], buffer('embedded'), {});
    device.run('add', [residual, buffer('embedded')], residual, {});
  };
  if (weights.positions) addRows(weights.positions, buffer('positions'));
  if (weights.types) {
    const ids = buffer('types');
    // RoBERTa has one row: a second text is no other kind there.
    device.write(ids, kinds && tokenTypes > 1 ? bytesOf(kinds) : new Uint8Array(4 * ids.shape[0]!));
    addRows(weights.types, ids);
  }
  if (norm) runNorm(device, norm, weights.norm!, residual, residual);
}
