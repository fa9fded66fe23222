// One of the things that a pool may load: what is known of it, who holds it, who waits for it.
import type { PoolThing } from './model-pool.ts';

export type MemberState = 'unloaded' | 'loading' | 'loaded' | 'unloading';

export interface Waiter {
  /** Of all waiters: the lower, the earlier. */
  readonly turn: number;
  grant(): void;
  fail(error: unknown): void;
}

export class PoolMember<Loaded> {
  readonly thing: PoolThing<Loaded>;
  state: MemberState = 'unloaded';
  loaded?: Loaded;
  /** Bytes: an estimate until it is loaded. */
  bytes = 0;
  progress?: { readonly done: number; readonly total: number };
  /** Why it did not load, or went away, the last time. */
  failure?: unknown;
  holders = 0;
  /** Takes no new holders: it goes when those that it has are done, because its place is needed. */
  draining = false;
  /** The same, because somebody said so. */
  told = false;
  waiters: Waiter[] = [];
  /** Order of use: the lower, the longer ago. */
  usedAt = 0;
  /** Milliseconds that it stays without holders; undefined: as the pool has it. */
  keepMs?: number;
  /** When it will go, if nobody comes. */
  expiresMs?: number;
  #idleTimer?: NodeJS.Timeout;

  constructor(thing: PoolThing<Loaded>) {
    this.thing = thing;
  }

  /** Whether it takes memory, or is about to give it back. */
  get isPresent(): boolean {
    return this.state !== 'unloaded';
  }

  get isIdle(): boolean {
    return this.state === 'loaded' && this.holders === 0;
  }

  /** Whether a request can have it at once. */
  get isOpen(): boolean {
    return this.state === 'loaded' && !this.draining && !this.told;
  }

  /** Turn of the one who has waited longest. */
  get firstTurn(): number {
    return this.waiters[0]?.turn ?? Number.POSITIVE_INFINITY;
  }

  take(): Waiter[] {
    const taken = this.waiters;
    this.waiters = [];
    return taken;
  }

  /** @param ms negative: for ever */
  expireIn(ms: number, expire: () => void): void {
    this.stopExpiring();
    if (ms < 0 || ms > longestTimer) return;
    this.expiresMs = Date.now() + ms;
    this.#idleTimer = setTimeout(expire, ms);
    // A server that has nothing else to do may end.
    this.#idleTimer.unref();
  }

  stopExpiring(): void {
    clearTimeout(this.#idleTimer);
    this.expiresMs = undefined;
  }
}

/** Node takes 32 bits; longer ones would fire at once. */
const longestTimer = 2 ** 31 - 1;
