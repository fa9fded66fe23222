// What the threads of a factorization share: a counter to claim tasks from, a barrier, and whether all is well.

/** Words of the control buffer. */
const [arrived, generation, claimed, failed] = [0, 1, 2, 3];

export class FactorTeam {
  readonly members: number;
  /** 0 … members − 1 */
  readonly own: number;
  readonly control: SharedArrayBuffer;
  readonly #words: Int32Array;

  constructor(members: number, own: number, control = new SharedArrayBuffer(16)) {
    this.members = members;
    this.own = own;
    this.control = control;
    this.#words = new Int32Array(control);
  }

  /** Runs those of the tasks 0 … count − 1 that this member gets hold of, then waits until all are done. */
  share(count: number, task: (index: number) => void): void {
    for (;;) {
      const index = Atomics.add(this.#words, claimed, 1);
      if (index >= count) break;
      task(index);
    }
    this.wait();
  }

  /** Returns when every member has come here. */
  wait(): void {
    const words = this.#words;
    const now = Atomics.load(words, generation);
    if (Atomics.add(words, arrived, 1) === this.members - 1) {
      Atomics.store(words, arrived, 0);
      Atomics.store(words, claimed, 0);
      Atomics.add(words, generation, 1);
      Atomics.notify(words, generation);
    } else while (Atomics.load(words, generation) === now) Atomics.wait(words, generation, now);
  }

  fail(): void {
    Atomics.store(this.#words, failed, 1);
  }

  get hasFailed(): boolean {
    return Atomics.load(this.#words, failed) === 1;
  }
}
