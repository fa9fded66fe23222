// How much work a grammar may be before it is used. Others wait for the thread that compiles, so what would take long is refused. Steps are counted, not time: what is refused is refused on every machine and in every thread.
import { QuernError } from '@quern/errors';

/** A second on a slow core. */
export const maxSteps = 5_000_000;

/** What steps are spent on, in the words of who wrote the grammar. */
export type WorkKind =
  | 'alternatives (anyOf, oneOf, not, if and what they refer to)'
  | 'lists of values (enum, const)'
  | 'the properties of objects'
  | 'patterns, formats and bounds of numbers'
  | 'rules';

class Work {
  readonly #spent: Record<WorkKind, number> = {
    'alternatives (anyOf, oneOf, not, if and what they refer to)': 0,
    'lists of values (enum, const)': 0,
    'the properties of objects': 0,
    'patterns, formats and bounds of numbers': 0,
    rules: 0,
  };
  total = 0;
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  spend(steps: number, kind: WorkKind): void {
    this.#spent[kind] += steps;
    this.total += steps;
    if (this.total <= this.#most) return;
    const [[most]] = Object.entries(this.#spent).sort(([, a], [, b]) => b - a) as [[string, number]];
    throw new QuernError(
      'grammar-too-much-work',
      `To compile the grammar takes more than ${this.#most} steps, most of them for ${most}.`,
      { remedy: 'Use fewer of these, or simpler ones.' },
    );
  }
}

/** Compiling is synchronous and its parts lie deep in each other, so the work at hand stands here and in no argument. */
let current: Work | undefined;

/** @throws QuernError `grammar-too-much-work` */
export function boundedWork<T>(make: () => T, most = maxSteps): { readonly made: T; readonly steps: number } {
  const outer = current;
  const work = new Work(most);
  current = work;
  try {
    return { made: make(), steps: work.total };
  } finally {
    current = outer;
  }
}

/** Steps of the grammar that is being compiled; a machine at work has bounds of its own. */
export const spend = (steps: number, kind: WorkKind): void => current?.spend(steps, kind);

interface Paid<V> {
  readonly value: V;
  readonly steps: number;
  by: Work | undefined;
}

/** What all results of one kind may have cost together: with it grows the memory that they hold. */
const maxKeptSteps = 10_000_000;
/** Of the smallest result. */
const leastKeptSteps = 1_000;

/** Results that live longer than one grammar. Each grammar pays once for those that it uses, whoever made them first. */
export class Kept<K, V> {
  readonly #kind: WorkKind;
  readonly #known = new Map<K, Paid<V>>();
  #kept = 0;

  constructor(kind: WorkKind) {
    this.#kind = kind;
  }

  of(key: K, make: () => V): V {
    const known = this.#known.get(key);
    if (!known) {
      const before = current?.total ?? 0;
      const value = make();
      const steps = (current?.total ?? 0) - before;
      this.#kept += leastKeptSteps + steps;
      if (this.#kept > maxKeptSteps) {
        this.#known.clear();
        this.#kept = leastKeptSteps + steps;
      }
      this.#known.set(key, { value, steps, by: current });
      return value;
    }
    if (known.by !== current) spend(known.steps, this.#kind);
    known.by = current;
    return known.value;
  }
}
