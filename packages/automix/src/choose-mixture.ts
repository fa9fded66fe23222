// From a target to a plan: sensitivities of all types of all tensors, the mixture that is predicted best, its true KL
// divergence and that of the fixed mixtures of that size; the best of all is the plan.
import type { ModelView } from '@quern/checkpoint';
import { type ImportanceSource, type Plan, type PlanOptions, planTypes } from '@quern/kquant';
import { allocate } from './allocation/allocate.ts';
import { Measuring } from './measuring.ts';
import { fixedMixtures } from './mixture/fixed-mixtures.ts';
import { improve } from './mixture/improve.ts';
import { MixtureBench } from './mixture/mixture-bench.ts';
import { Mixtures } from './mixture/mixtures.ts';
import { type Quantizable, quantizables } from './plan/candidates.ts';
import { type Budget, budgetOf, sizeOf, type Target } from './plan/target.ts';
import type { Divergence } from './sensitivity/calibration-run.ts';
import { SensitivityJournal } from './sensitivity/journal.ts';
import {
  measureDivergences,
  measureSquaredErrors,
  missingMeasurements,
  type OnProgress,
} from './sensitivity/measure.ts';
import type { MeasuringOptions } from './sensitivity/measuring-plan.ts';
import { type Sensitivity, sensitivityTable, type TensorSensitivities } from './sensitivity/sensitivity-table.ts';
import { settingsOf } from './sensitivity/settings.ts';

export interface AutomixOptions extends MeasuringOptions {
  readonly target: Target;
  /** What the plan is made with, besides types. */
  readonly planOptions: PlanOptions;
  /** Of `planOptions.imatrix`. */
  readonly imatrix?: ImportanceSource;
  /** Text to measure on (`chunksFor`). */
  readonly chunks: readonly Int32Array[];
  /** File that keeps what is measured. */
  readonly journal: string;
  /** Names of the types to choose from. Default: all that are worth it. */
  readonly types?: readonly string[];
  /** Whole mixtures measured beside the predicted best. Default 8. */
  readonly trials?: number;
  readonly threads?: number;
  readonly onProgress?: (step: 'errors' | 'sensitivity', state: Parameters<OnProgress>[0]) => void;
  readonly onNote?: (text: string) => void;
  readonly signal?: AbortSignal;
}

/** A mixture that was measured as a whole. */
export interface MeasuredMixture extends Divergence {
  /** `Q4_K_M`; `auto` for the automatic one. */
  readonly name: string;
  /** As the target counts them. */
  readonly bytes: number;
}

export interface AutomixResult {
  readonly plan: Plan;
  readonly budget: Budget;
  /** Which mixture the plan is. */
  readonly chosen: MeasuredMixture;
  /** The automatic one, chosen or not, with the sum of its tensors' sensitivities. */
  readonly automatic: MeasuredMixture & { readonly predicted: number };
  /** The fixed mixtures beside it, largest first. */
  readonly fixed: readonly MeasuredMixture[];
  /** Of every tensor that may be quantized, the type it has in the plan; undefined where nothing is known of that type. */
  readonly sensitivities: ReadonlyMap<string, Sensitivity | undefined>;
}

const usualTrials = 8;

/**
 * @throws QuernError `refused-target` with the numbers, `refused-settings-differ`, `automix-…`, those of loading and
 *   planning
 */
export async function chooseMixture(view: ModelView, options: AutomixOptions): Promise<AutomixResult> {
  const { planOptions, imatrix, chunks, threads, onNote, signal } = options;
  const planOf = (fileType: string): Plan => planTypes(view, fileType, planOptions);
  const mixtures = await possibleMixtures(view, options);
  const { tensors } = mixtures;
  const journal = await SensitivityJournal.open(options.journal, await settingsOf(view, chunks, planOptions.imatrix));
  const measuring = new Measuring({ view, imatrix, chunks, threads, signal, onNote });
  try {
    if (journal.size > 0) onNote?.(`${options.journal}: ${journal.size} measurements are known.`);
    const table = await sensitivities(view, tensors, journal, measuring, options);
    const bench = new MixtureBench(journal, () => measuring.start());
    return await decide({ mixtures, table, bench, planOf, file: view.path, options });
  } finally {
    await journal.close();
    await measuring.dispose();
  }
}

/**
 * Whether the target can be reached, before anything is measured.
 * @returns bytes of the file, or of its tensor data, as the target counts them
 * @throws QuernError `refused-target` with the numbers, `automix-nothing-to-choose`, those of planning
 */
export const requireTarget = async (
  view: ModelView,
  options: Pick<AutomixOptions, 'target' | 'planOptions' | 'types'>,
): Promise<number> => (await possibleMixtures(view, options)).budget.bytes;

async function possibleMixtures(
  view: ModelView,
  { target, planOptions, types }: Pick<AutomixOptions, 'target' | 'planOptions' | 'types'>,
): Promise<Mixtures> {
  const planOf = (fileType: string): Plan => planTypes(view, fileType, planOptions);
  const budget = budgetOf(target, planOf('COPY').totals.weights, planOf);
  const mixtures = new Mixtures(view, quantizables(view, planOptions, types), budget, planOptions);
  await mixtures.requirePossible();
  return mixtures;
}

async function sensitivities(
  view: ModelView,
  tensors: readonly Quantizable[],
  journal: SensitivityJournal,
  measuring: Measuring,
  options: AutomixOptions,
): Promise<TensorSensitivities[]> {
  const { onProgress, signal } = options;
  if (options.measured !== 'all' || (options.everyLayers ?? 1) > 1)
    await measureSquaredErrors(() => measuring.start(), view, tensors, journal, {
      signal,
      onProgress: (state) => onProgress?.('errors', state),
    });
  const missing = missingMeasurements(tensors, journal, options);
  const blocks = Math.max(0, ...tensors.map(({ block }) => (block ?? -1) + 1));
  if (missing.length > 0) {
    const { run, swap } = await measuring.start();
    const report: OnProgress = (state) => onProgress?.('sensitivity', state);
    await measureDivergences(run, swap, missing, journal, { blocks, onProgress: report });
  }
  return sensitivityTable(tensors, journal, options);
}

interface Decision {
  readonly mixtures: Mixtures;
  readonly table: readonly TensorSensitivities[];
  readonly bench: MixtureBench;
  readonly planOf: (fileType: string) => Plan;
  readonly file: string;
  readonly options: AutomixOptions;
}

async function decide({ mixtures, table, bench, planOf, file, options }: Decision): Promise<AutomixResult> {
  const { tensors, budget } = mixtures;
  const measure = async (plan: Plan): Promise<Divergence> => {
    options.signal?.throwIfAborted();
    return bench.divergence(plan.tensors.filter(({ name }) => mixtures.has(name)));
  };
  const fixed: (MeasuredMixture & { plan: Plan })[] = [];
  for (const { plan, bytes } of fixedMixtures(planOf, budget, file)) {
    options.onNote?.(`measuring ${plan.fileType}`);
    fixed.push({ name: plan.fileType, bytes, plan, ...(await measure(plan)) });
  }

  const choices = mixtures.choices(table);
  const first = allocate(choices, mixtures.room)!;
  const kldOf = async (chosen: readonly number[]): Promise<number> => (await measure(await mixtures.plan(chosen))).kld;
  options.onNote?.('measuring automatic mixtures');
  const start = { chosen: first, kld: await kldOf(first) };
  const best = await improve(choices, start, mixtures.room, options.trials ?? usualTrials, kldOf);
  const plan = await mixtures.plan(best.chosen);
  const predicted = best.chosen.reduce((sum, index, t) => sum + table[t]![index]!.kld, 0);
  const automatic = { name: 'auto', bytes: sizeOf(plan, budget), ...(await measure(plan)), predicted };

  // Of equals the fixed one: it is the better known.
  const better = fixed.filter(({ kld }) => kld <= automatic.kld).sort((a, b) => a.kld - b.kld)[0];
  const winner = better?.plan ?? plan;
  const chosen: MeasuredMixture = better ?? automatic;
  const known = sensitivitiesOf(winner, tensors, table);
  return {
    plan: better ? winner : withSensitivities(plan, known),
    budget,
    chosen: { name: chosen.name, bytes: chosen.bytes, kld: chosen.kld, error: chosen.error },
    automatic,
    fixed: fixed.map(({ name, bytes, kld, error }) => ({ name, bytes, kld, error })),
    sensitivities: known,
  };
}

function sensitivitiesOf(plan: Plan, tensors: readonly Quantizable[], table: readonly TensorSensitivities[]) {
  const types = new Map(plan.tensors.map(({ name, to }) => [name, to]));
  return new Map(
    tensors.map(({ name, candidates }, t) => {
      const index = candidates.findIndex(({ to }) => to === types.get(name));
      return [name, table[t]![index]] as const;
    }),
  );
}

/** The plan says why every tensor has its type. */
function withSensitivities(plan: Plan, known: AutomixResult['sensitivities']): Plan {
  const rule = ({ kld, measured }: Sensitivity): string =>
    kld === 0 && !measured ? 'auto: unchanged' : `auto: KLD ${kld.toExponential(2)}${measured ? '' : ' predicted'}`;
  const tensors = plan.tensors.map((tensor) => {
    const sensitivity = known.get(tensor.name);
    return sensitivity ? { ...tensor, rule: rule(sensitivity) } : tensor;
  });
  return { ...plan, tensors };
}
