// The true KL divergence of whole mixtures: all tensors at once, since what each costs alone does not quite add up.
import { createHash } from 'node:crypto';
import type { TensorPlan } from '@quern/kquant';
import type { CalibrationRun, Divergence } from '../sensitivity/calibration-run.ts';
import type { SensitivityJournal } from '../sensitivity/journal.ts';
import type { WeightSwap } from '../sensitivity/weight-swap.ts';

export interface Measuring {
  readonly run: CalibrationRun;
  readonly swap: WeightSwap;
}

export class MixtureBench {
  readonly #journal: SensitivityJournal;
  readonly #start: () => Promise<Measuring>;

  /** @param start loads the model, when there is something to measure */
  constructor(journal: SensitivityJournal, start: () => Promise<Measuring>) {
    this.#journal = journal;
    this.#start = start;
  }

  /** Of the model in which every tensor is as planned. The journal may know it already. */
  async divergence(tensors: readonly TensorPlan[]): Promise<Divergence> {
    const key = mixtureKey(tensors);
    const known = this.#journal.mixture(key);
    if (known) return known;
    const { run, swap } = await this.#start();
    // One mixture is much like the one before: only what differs is encoded anew.
    for (const plan of tensors) await swap.set(plan);
    const divergence = await run.divergence();
    await this.#journal.addMixture(key, divergence);
    return divergence;
  }
}

/** SHA-256 of what every tensor is. */
export function mixtureKey(tensors: readonly TensorPlan[]): string {
  const lines = tensors.map(({ name, to }) => `${name}=${to.name}`).sort();
  return createHash('sha256').update(lines.join('\n')).digest('hex');
}
