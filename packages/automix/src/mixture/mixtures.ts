// Mixtures of the candidates: as choices of the knapsack, whose bytes are those that the file will have, and as plans.
import { QuernError } from '@quern/errors';
import { fileTypes, layoutOf, type Plan, type PlanInput, type PlanOptions, planTypes } from '@quern/kquant';
import type { Choice } from '../allocation/allocate.ts';
import type { Quantizable } from '../plan/candidates.ts';
import { type Budget, sizeOf, tensorSize } from '../plan/target.ts';
import { tensorTypeRules } from '../plan/tensor-type-file.ts';
import type { TensorSensitivities } from '../sensitivity/sensitivity-table.ts';

export class Mixtures {
  readonly tensors: readonly Quantizable[];
  readonly budget: Budget;
  /** Bytes of the budget that are left for the tensors to be chosen. */
  readonly room: number;
  readonly #view: PlanInput;
  readonly #options: PlanOptions;
  readonly #alignment: number;
  readonly #names: ReadonlySet<string>;
  readonly #weights: number;

  constructor(view: PlanInput, tensors: readonly Quantizable[], budget: Budget, options: PlanOptions) {
    this.tensors = tensors;
    this.budget = budget;
    this.#view = view;
    this.#options = options;
    this.#names = new Set(tensors.map(({ name }) => name));
    // The metadata has the same size in every mixture.
    const copies = planTypes(view, carrier, { ...options, tensorTypes: undefined });
    this.#alignment = layoutOf(copies).alignment;
    this.#weights = copies.totals.weights;
    const own = copies.tensors.filter(({ name }) => this.#names.has(name));
    const sizes = own.reduce((sum, { bytes }) => sum + tensorSize(bytes, budget, this.#alignment), 0);
    this.room = budget.bytes - (sizeOf(copies, budget) - sizes);
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  choices(table: readonly TensorSensitivities[]): Choice[][] {
    return this.tensors.map(({ candidates }, t) =>
      candidates.map(({ bytes }, c) => ({
        bytes: tensorSize(bytes, this.budget, this.#alignment),
        loss: table[t]![c]!.kld,
      })),
    );
  }

  /** @param chosen index of the candidate of each tensor */
  async plan(chosen: readonly number[]): Promise<Plan> {
    const types = this.tensors.map(({ candidates }, t) => candidates[chosen[t]!]!);
    return planTypes(this.#view, fileTypeLike(types), { ...this.#options, tensorTypes: await tensorTypeRules(types) });
  }

  /** @throws QuernError `refused-target` */
  async requirePossible(): Promise<void> {
    const { bytes, counts } = this.budget;
    const smallest = sizeOf(await this.plan(this.tensors.map(() => 0)), this.budget);
    const largest = sizeOf(await this.plan(this.tensors.map(({ candidates }) => candidates.length - 1)), this.budget);
    if (bytes >= smallest && bytes <= largest) return;
    const said = (size: number): string =>
      counts === 'file' ? `${size} bytes of file` : `${bitsText(size, this.#weights)} bits per weight`;
    throw new QuernError(
      'refused-target',
      bytes < smallest
        ? `The target is ${said(bytes)}; the smallest mixture has ${said(smallest)}.`
        : `The target is ${said(bytes)}; the unquantized model has only ${said(largest)}.`,
      {
        file: this.#view.path,
        remedy:
          bytes < smallest ? 'Ask for more, or allow smaller types with --types.' : 'Ask for less, or convert it.',
      },
    );
  }
}

/** Rounded away from the target, so that what is named can be asked for. */
const bitsText = (bytes: number, weights: number): string => (Math.ceil((8000 * bytes) / weights) / 1000).toFixed(3);

/** Whose metadata mixtures have when nothing is chosen yet. */
const carrier = 'Q8_0';

/** The file type that the metadata names: that of the type that most weights have. */
function fileTypeLike(
  types: readonly { readonly to: { readonly name: string }; readonly rows: number; readonly cols: number }[],
): string {
  const weights = new Map<string, number>();
  for (const { to, rows, cols } of types) weights.set(to.name, (weights.get(to.name) ?? 0) + rows * cols);
  const [most] = [...weights].sort(([, a], [, b]) => b - a)[0]!;
  const rows = fileTypes.filter(({ base, copies, name }) => base === most && !copies && !name.endsWith('_S'));
  const row = rows.find(({ name }) => name === `${most}_M`) ?? rows.find(({ name }) => name === most) ?? rows[0];
  // F16 and BF16 as a file type allow no types by name.
  return row && !['F32', 'F16', 'BF16'].includes(row.name) ? row.name : carrier;
}
