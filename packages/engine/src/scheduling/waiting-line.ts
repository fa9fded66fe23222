// The order in which requests are served: by arrival, where a step of priority counts as so many seconds of having waited.
// The order never changes while a request waits, so however many urgent ones come, it is not overtaken for ever.
import type { Sequence } from './sequence.ts';

/** A priority of -1 overtakes what came up to ten seconds earlier. */
export const MS_PER_PRIORITY = 10_000;

export const comesBefore = (a: Sequence, b: Sequence): boolean => a.turn < b.turn;

export class WaitingLine {
  readonly #line: Sequence[] = [];

  get all(): readonly Sequence[] {
    return this.#line;
  }

  get first(): Sequence | undefined {
    return this.#line[0];
  }

  add(sequence: Sequence): void {
    let place = this.#line.length;
    while (place > 0 && comesBefore(sequence, this.#line[place - 1]!)) place--;
    this.#line.splice(place, 0, sequence);
  }

  remove(sequence: Sequence): void {
    const place = this.#line.indexOf(sequence);
    if (place >= 0) this.#line.splice(place, 1);
  }
}
