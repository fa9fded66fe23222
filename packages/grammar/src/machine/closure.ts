// From places that a byte has led to, follows calls and returns until every thread waits for a byte or a token.
import { QuernError } from '@quern/errors';
import type { Thread } from './configuration.ts';
import type { Frame, Frames } from './frame.ts';
import type { LocalCall, LocalSet, LocalSets } from './local-set.ts';

/** Steps that one mask may take: beyond, a grammar is ambiguous without end. */
const maxVisits = 1_000_000;

/** Counts them for a machine. */
export class Effort {
  #left = maxVisits;

  /** Before each mask, and each token. */
  renew(): void {
    this.#left = maxVisits;
  }

  /** @throws QuernError `grammar-too-ambiguous` */
  spend(): void {
    if (this.#left-- > 0) return;
    const problem = `The grammar can read this text in so many ways that ${maxVisits} steps do not tell what may follow.`;
    throw new QuernError('grammar-too-ambiguous', problem, {
      remedy: 'Write the rules so that fewer of them begin alike.',
    });
  }
}

interface Visit {
  readonly set: LocalSet;
  readonly frame: Frame;
  /** How many frames on top were pushed since the last byte. */
  readonly fresh: number;
}

export class Closure {
  complete = false;
  leaves = false;
  readonly #sets: LocalSets;
  readonly #frames: Frames;
  readonly #effort: Effort;
  readonly #seen = new Set<number>();
  readonly #pending: Visit[] = [];
  readonly #waiting = new Map<Frame, LocalSet[]>();

  constructor(sets: LocalSets, frames: Frames, effort: Effort) {
    this.#sets = sets;
    this.#frames = frames;
    this.#effort = effort;
  }

  visit(set: LocalSet, frame: Frame, fresh: number): void {
    this.#pending.push({ set, frame, fresh });
  }

  /** @throws QuernError `grammar-too-ambiguous` */
  run(): this {
    for (let next = this.#pending.pop(); next; next = this.#pending.pop()) {
      const { set, frame, fresh } = next;
      const key = (set.id * 2 ** 27 + frame.id) * 16 + Math.min(fresh, 15);
      if (this.#seen.has(key)) continue;
      this.#seen.add(key);
      this.#effort.spend();
      if (set.edges.length > 0 || set.tokens.length > 0) {
        const known = this.#waiting.get(frame);
        if (known) known.push(set);
        else this.#waiting.set(frame, [set]);
      }
      for (const call of set.calls) this.#enter(call, frame, fresh);
      if (set.final) this.leave(frame, fresh);
    }
    return this;
  }

  /** Where threads wait, by their stack. */
  places(): Thread[] {
    return [...this.#waiting].map(([frame, sets]) => ({ set: this.#sets.union(sets), frame }));
  }

  #enter(call: LocalCall, parent: Frame, fresh: number): void {
    const { body, behind: next } = this.#sets.setsOf(call);
    if (!next) return;
    if (call.kind === 'repeat' && call.min === 0) this.visit(next, parent, fresh);
    if (!body || (call.kind === 'repeat' && call.max === 0)) return;
    // A call that nothing follows is a jump: recursion to the right then needs no stack.
    if (call.kind === 'call' && next.onlyEnds) this.visit(body, parent, fresh);
    else {
      const again = call.kind === 'repeat' ? body : null;
      const frame = this.#frames.of(call.kind, { next, body: again, need: call.min, room: call.max, parent });
      this.visit(body, frame, fresh + 1);
    }
  }

  /** The rule above `frame` has ended. */
  leave(frame: Frame, fresh: number): void {
    const below = Math.max(0, fresh - 1);
    if (frame.kind === 'bottom') this.complete = true;
    else if (frame.next === null) this.leaves = true;
    else if (frame.kind === 'repeat' && fresh === 0) {
      const rest = this.#frames.counted(frame)!;
      if (rest.room > 0) this.visit(frame.body!, rest, 1);
      if (rest.need === 0) this.visit(frame.next, frame.parent!, 0);
    }
    // A repetition of nothing needs no count: as many more of them as are asked for lead no further.
    else if (frame.kind !== 'measured' || frame.need === 0) this.visit(frame.next, frame.parent!, below);
  }
}
