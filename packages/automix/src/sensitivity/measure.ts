// Fills a journal with what the table needs: squared errors of all types that are predicted from, then divergences, block
// by block in the order of the network, so that each pass begins at the block of its tensor.
import type { TranscodePool } from '@quern/blocks';
import type { ModelView } from '@quern/checkpoint';
import type { Quantizable } from '../plan/candidates.ts';
import type { CalibrationRun } from './calibration-run.ts';
import type { SensitivityJournal } from './journal.ts';
import { changesOf, type Measurement, type MeasuringOptions, measurements } from './measuring-plan.ts';
import { squaredError } from './squared-error.ts';
import type { WeightSwap } from './weight-swap.ts';

/** `done` and `total` count tokens through the whole network, as far as each pass goes. */
export type OnProgress = (state: { done: number; total: number; label: string }) => void;

/** What is not in the journal yet. */
export function missingMeasurements(
  tensors: readonly Quantizable[],
  journal: SensitivityJournal,
  options: MeasuringOptions,
): Measurement[] {
  return measurements(tensors, options).filter(({ tensor, plan }) => !journal.divergence(tensor.name, plan.to.name));
}

/** Share of the network that a pass from this block computes; the output counts as a block. */
const shareFrom = (block: number | undefined, blocks: number): number => (blocks + 1 - (block ?? 0)) / (blocks + 1);

export async function measureDivergences(
  run: CalibrationRun,
  swap: WeightSwap,
  missing: readonly Measurement[],
  journal: SensitivityJournal,
  { blocks, onProgress }: { readonly blocks: number; readonly onProgress?: OnProgress },
): Promise<void> {
  const total = missing.reduce((sum, { tensor }) => sum + run.tokens * shareFrom(tensor.block, blocks), 0);
  let done = 0;
  let at: number | undefined;
  for (const { tensor, plan } of missing) {
    const { name, block } = tensor;
    onProgress?.({ done: Math.round(done), total: Math.round(total), label: `${name} as ${plan.to.name}` });
    if (block !== undefined && block !== at) {
      await run.moveTo(block);
      at = block;
    }
    await swap.set(plan);
    const divergence = await (block === undefined ? run.divergence() : run.divergenceFromBlock());
    await swap.restore(name);
    await journal.addDivergence(name, plan.to.name, divergence);
    done += run.tokens * shareFrom(block, blocks);
  }
  onProgress?.({ done: Math.round(total), total: Math.round(total), label: '' });
}

/** Of every type of every tensor, unless all types are measured. */
export async function measureSquaredErrors(
  start: () => Promise<{ readonly pool: TranscodePool; readonly swap: WeightSwap }>,
  view: ModelView,
  tensors: readonly Quantizable[],
  journal: SensitivityJournal,
  { onProgress, signal }: { readonly onProgress?: OnProgress; readonly signal?: AbortSignal },
): Promise<void> {
  const missing = tensors.flatMap((tensor) =>
    changesOf(tensor)
      .filter(({ to }) => journal.squaredError(tensor.name, to.name) === undefined)
      .map((plan) => ({ tensor, plan })),
  );
  if (missing.length === 0) return;
  const { pool, swap } = await start();
  const total = missing.reduce((sum, { plan }) => sum + plan.rows * plan.cols, 0);
  let done = 0;
  for (const { tensor, plan } of missing) {
    signal?.throwIfAborted();
    onProgress?.({ done, total, label: `${tensor.name} as ${plan.to.name}` });
    const bytes = await swap.encode(plan);
    const source = view.tensors.get(tensor.name)!;
    const error = await squaredError(pool, plan, source, bytes, await swap.importanceOf(tensor.name));
    await journal.addSquaredError(tensor.name, plan.to.name, error);
    done += plan.rows * plan.cols;
  }
  onProgress?.({ done: total, total, label: '' });
}
