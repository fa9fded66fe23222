// What every type of every tensor costs in KL divergence: measured where the plan says so, predicted elsewhere.
import { QuernError } from '@quern/errors';
import type { Quantizable } from '../plan/candidates.ts';
import type { SensitivityJournal } from './journal.ts';
import { changesOf, kindOf, type MeasuringOptions, measuredTensors, measuredTypes } from './measuring-plan.ts';
import { leastDivergence, type MeasuredType, predictDivergence } from './predict.ts';

export interface Sensitivity {
  /** Mean KLD in nats of the model in which only this tensor has this type. Not below 0. */
  readonly kld: number;
  readonly measured: boolean;
}

/** Of each candidate of a tensor, in their order. */
export type TensorSensitivities = readonly Sensitivity[];

/**
 * @param journal holds everything that `measurements` names, and the squared errors that predictions want
 * @throws QuernError `automix-not-predictable` naming the tensor
 */
export function sensitivityTable(
  tensors: readonly Quantizable[],
  journal: SensitivityJournal,
  options: MeasuringOptions,
): TensorSensitivities[] {
  const byKind = measuredTensors(tensors, options);
  return tensors.map((tensor) => {
    const relatives = byKind.get(kindOf(tensor))!;
    const own = relatives.includes(tensor);
    const exact = new Set(own ? measuredTypes(tensor, options) : []);
    const predict = predictor(tensor, relatives, journal, options);
    const changes = changesOf(tensor).map((plan): Sensitivity => {
      if (!exact.has(plan)) return { kld: predict(plan.to.name), measured: false };
      return { kld: Math.max(0, journal.divergence(tensor.name, plan.to.name)!.kld), measured: true };
    });
    return [...changes, { kld: 0, measured: false }];
  });
}

function predictor(
  tensor: Quantizable,
  relatives: readonly Quantizable[],
  journal: SensitivityJournal,
  options: MeasuringOptions,
): (type: string) => number {
  const factor = relatives.includes(tensor) ? undefined : factorBetween(tensor, relatives, journal, options);
  const points = pointsOf(tensor, journal, options);
  return (type) => {
    const error = journal.squaredError(tensor.name, type)!;
    const kld = factor === undefined ? predictDivergence(points, error) : factor * error;
    if (kld !== undefined && Number.isFinite(kld)) return kld;
    throw new QuernError('automix-not-predictable', `Nothing that was measured says what ${type} costs.`, {
      tensor: tensor.name,
      remedy: 'Measure all types of all tensors, with --measure all.',
    });
  };
}

const pointsOf = (tensor: Quantizable, journal: SensitivityJournal, options: MeasuringOptions): MeasuredType[] =>
  measuredTypes(tensor, options).flatMap(({ to }) => {
    const squaredError = journal.squaredError(tensor.name, to.name);
    const divergence = journal.divergence(tensor.name, to.name);
    return squaredError === undefined || !divergence ? [] : [{ squaredError, kld: divergence.kld }];
  });

/** KLD / E between two measured blocks: interpolated, as a logarithm, between the tensors of the same kind around. */
function factorBetween(
  tensor: Quantizable,
  relatives: readonly Quantizable[],
  journal: SensitivityJournal,
  options: MeasuringOptions,
): number {
  const known = relatives.flatMap(({ block }, i) => {
    const logFactor = logFactorOf(pointsOf(relatives[i]!, journal, options));
    return logFactor === undefined ? [] : [{ block: block!, logFactor }];
  });
  const before = known.filter(({ block }) => block < tensor.block!).at(-1);
  const after = known.find(({ block }) => block > tensor.block!);
  const [near, far] = [before ?? after, after ?? before];
  if (!near || !far) return Number.NaN;
  const span = far.block - near.block;
  const part = span === 0 ? 0 : (tensor.block! - near.block) / span;
  return Math.exp((1 - part) * near.logFactor + part * far.logFactor);
}

/** Mean of ln(KLD / E) over the measured types. */
function logFactorOf(points: readonly MeasuredType[]): number | undefined {
  const ratios = points
    .filter(({ squaredError }) => squaredError > 0)
    .map(({ squaredError, kld }) => Math.log(Math.max(kld, leastDivergence) / squaredError));
  return ratios.length === 0 ? undefined : ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
}
