// Consecutive blocks of a model, on one device or on several that compute them together.
//
// Several ranks hold parts of every block (placement/cut-rows.ts). Each computes its part of what is added to the residual
// stream; the parts are summed on the host in the order of the ranks, so that the result does not depend on who is first,
// and every rank goes on with the same stream:  x += y₀ + y₁ + …
import type { Device, Tensor } from '@quern/runtime';
import { type NormSpec, type NormWeights, runNorm } from './norm.ts';
import type { BatchPass } from './pass.ts';
import { bytesOf, type Rank } from './rank.ts';
import { computeSubLayer, type PartResult } from './sub-layer.ts';

export interface Stage {
  readonly firstBlock: number;
  /** Number of the block behind the last. */
  readonly endBlock: number;
  readonly ranks: readonly Rank[];
}

/** Sees what every part computes, and every state of the residual stream; for debugging, it costs a read each. */
export type Inspect = (name: string, device: Device, values: Tensor) => Promise<void>;

/** Blocks of the whole network, from `first` to the one before `end`. */
export interface BlockRange {
  readonly first: number;
  readonly end: number;
}

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
  const end = Math.min(stage.endBlock, range.end);
  for (let block = Math.max(stage.firstBlock, range.first); block < end; block++) {
    const subLayers = stage.ranks[0]!.network.blocks[block]!.subLayers.length;
    for (let i = 0; i < subLayers; i++) await runSubLayer(stage, passes, block, i, inspect);
  }
}

async function runSubLayer(
  { firstBlock, ranks }: Stage,
  passes: readonly BatchPass[],
  block: number,
  i: number,
  inspect: Inspect | undefined,
): Promise<void> {
  const running = ranks.map(({ network, held, states }, r) =>
    computeSubLayer(
      passes[r]!,
      network.blocks[block]!.subLayers[i]!,
      held.weights.blocks[block - firstBlock]![i]!,
      states.of(block, i),
    ),
  );
  const { device, buffer } = passes[0]!;
  for (;;) {
    const steps = running.map((rank) => rank.next());
    if (steps[0]!.done) {
      for (const [r, pass] of passes.entries()) {
        addToResidual(pass, steps[r]!.value as Tensor);
        const { onStream } = ranks[r]!.network.blocks[block]!.subLayers[i]!;
        if (onStream) normStream(pass, onStream, ranks[r]!.held.weights.blocks[block - firstBlock]![i]!.onStream!);
        scaleResidual(pass, ranks[r]!.held.weights.blocks[block - firstBlock]![i]!.streamScale);
      }
      await inspect?.(`the residual stream of blk.${block}`, device, buffer('residual'));
      return;
    }
    const parts = steps.map(({ value }) => value as PartResult);
    // Without a wait on one device: its work is submitted as a whole.
    if (parts.length > 1) await sumOverRanks(passes, parts);
    await inspect?.(`the ${parts[0]!.title} of blk.${block}`, device, parts[0]!.y);
  }
}

function addToResidual({ device, buffer }: BatchPass, addend: Tensor): void {
  const residual = buffer('residual');
  device.run('add', [residual, addend], residual, {});
}

function scaleResidual({ device, buffer }: BatchPass, by: Tensor | undefined): void {
  const residual = buffer('residual');
  if (by) device.run('multiply', [residual, device.view(by, [1, 1])], residual, {});
}

function normStream({ device, buffer }: BatchPass, norm: NormSpec, weights: NormWeights): void {
  const residual = buffer('residual');
  runNorm(device, norm, weights, residual, residual);
}

/** In place: every rank's part becomes the sum of all. */
async function sumOverRanks(passes: readonly BatchPass[], parts: readonly PartResult[]): Promise<void> {
  const read = await Promise.all(parts.map(({ y }, r) => passes[r]!.device.read(y)));
  const [sum, ...others] = read.map((bytes) => new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4));
  for (const other of others) for (let i = 0; i < sum!.length; i++) sum![i]! += other[i]!;
  for (const [r, { y }] of parts.entries()) passes[r]!.device.write(y, bytesOf(sum!));
}
