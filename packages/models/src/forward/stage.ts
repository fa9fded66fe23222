// Consecutive blocks of a model, on one device or on several that compute them together.
//
// Several ranks hold parts of every block (placement/cut-rows.ts). Each computes its part of what is added to the residual
// stream; the parts are summed on the host in the order of the ranks, so that the result does not depend on who is first,
// and every rank goes on with the same stream:  x += y₀ + y₁ + …
import type { Device, Tensor } from '@quern/runtime';
import { type Addend, runBlock } from './block.ts';
import type { BatchPass } from './pass.ts';
import { bytesOf, type Rank } from './rank.ts';

export interface Stage {
  readonly firstBlock: number;
  readonly ranks: readonly Rank[];
}

/** Sees every state of the residual stream; for debugging, it costs a read each. */
export type Inspect = (name: string, device: Device, values: Tensor) => Promise<void>;

/** Blocks of the whole network, from `first` to the one before `end`. */
export interface BlockRange {
  readonly first: number;
  readonly end: number;
}

/** Number of the block behind the last of the stage. */
export const endOfStage = ({ firstBlock, ranks }: Stage): number => firstBlock + ranks[0]!.caches.length;

/**
 * Runs the blocks of `stage` that lie in `range` on passes (one per rank) whose residual streams are filled, with the
 * same values.
 */
export async function runStage(
  stage: Stage,
  passes: readonly BatchPass[],
  range: BlockRange,
  inspect?: Inspect,
): Promise<void> {
  const end = Math.min(endOfStage(stage), range.end) - stage.firstBlock;
  for (let i = Math.max(0, range.first - stage.firstBlock); i < end; i++) {
    const parts = stage.ranks.map(({ held, caches: own }, r) => runBlock(passes[r]!, held.weights.blocks[i]!, own[i]!));
    for (;;) {
      const addends = parts.map((part) => part.next().value as Addend | undefined);
      if (!addends[0]) break;
      // Without a wait on one device: its work is submitted as a whole.
      if (addends.length > 1) await sumOverRanks(passes, addends as Addend[]);
      for (const [r, { device, buffers }] of passes.entries())
        device.run('add', [buffers.residual, addends[r]!.y], buffers.residual, {});
      const { device, buffers } = passes[0]!;
      await inspect?.(`the ${addends[0].of} of blk.${stage.firstBlock + i}`, device, buffers.residual);
    }
  }
}

/** In place: every rank's part becomes the sum of all. */
async function sumOverRanks(passes: readonly BatchPass[], addends: readonly Addend[]): Promise<void> {
  const parts = await Promise.all(addends.map(({ y }, r) => passes[r]!.device.read(y)));
  const [sum, ...others] = parts.map((bytes) => new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4));
  for (const other of others) for (let i = 0; i < sum!.length; i++) sum![i]! += other[i]!;
  for (const [r, { y }] of addends.entries()) passes[r]!.device.write(y, bytesOf(sum!));
}
