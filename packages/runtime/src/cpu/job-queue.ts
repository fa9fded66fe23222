// Jobs on their way to the crew. Jobs that do not depend on each other go out together, as one dispatch: q, k and v of one
// input, or gate and up. Threads then meet once instead of three times, and the small matrices of k and v leave no thread
// without work.
import { type CrewMember, type Job, MAX_JOBS } from './crew.ts';

/** Bytes [begin, end) of the shared memory. */
export interface Extent {
  readonly begin: number;
  readonly end: number;
}

/** The bytes of tensors that a job reads and writes. */
export interface Extents {
  readonly reads: readonly Extent[];
  readonly writes: Extent;
}

const overlap = (a: Extent, b: Extent): boolean => a.begin < b.end && b.begin < a.end;

export class JobQueue {
  readonly #leader: CrewMember;
  #waiting: { readonly job: Job; readonly extents: Extents }[] = [];

  constructor(leader: CrewMember) {
    this.#leader = leader;
  }

  /** Runs what waits, then this. */
  run(job: Job): void {
    this.settle();
    this.#dispatch([job]);
  }

  /** Lets a job wait for more of its kind. What it reads and writes must be settled first: `settleFor`. */
  join(job: Job, extents: Extents): void {
    this.#waiting.push({ job, extents });
    if (this.#waiting.length === MAX_JOBS) this.settle();
  }

  /** Runs what waits if something that reads and writes these bytes must come after it. */
  settleFor({ reads, writes }: Extents): void {
    const depends = this.#waiting.some(
      ({ extents: earlier }) =>
        overlap(earlier.writes, writes) ||
        reads.some((read) => overlap(read, earlier.writes)) ||
        earlier.reads.some((read) => overlap(read, writes)),
    );
    if (depends) this.settle();
  }

  /** Runs what waits. */
  settle(): void {
    if (this.#waiting.length === 0) return;
    const jobs = this.#waiting.map(({ job }) => job);
    this.#waiting = [];
    this.#dispatch(jobs);
  }

  #dispatch(jobs: readonly Job[]): void {
    if (this.#leader.run(...jobs)) return;
    const kernels = jobs.map(({ kernel }) => kernel).join(', ');
    throw new Error(`The CPU kernel ${kernels} trapped: a defect of quern, not of the input.`);
  }
}
