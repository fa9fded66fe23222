// Things by name that are loaded when somebody asks, so many at once, within so much memory; what nobody holds goes when its
// time is over or when its place is needed. It knows nothing of models, so that its promises can be tried with anything.
//
//   - Everybody gets what he asked for by name, or the error of its loading; never something else.
//   - Who waits longest for something that is not loaded is served next (nobody overtakes him to a place), so nobody starves:
//     where all places are held, the one that was used longest ago takes no new holders, and goes when those it has are done.
//   - One load at a time for each thing, shared by all who wait for it. What failed, or died, is tried again by the next request.
import { PoolMember, type Waiter } from './pool-member.ts';

export interface PoolThing<Loaded> {
  readonly name: string;
  /** Bytes that it will take, as far as can be told. @throws whatever would keep it from loading */
  estimate(): Promise<number>;
  load(onProgress: (done: number, total: number) => void): Promise<Loaded>;
  /** What it really takes. */
  bytesOf(loaded: Loaded): number;
  /** Why it can no longer be used, if so. */
  failureOf(loaded: Loaded): unknown;
  close(loaded: Loaded): Promise<void>;
}

export interface PoolOptions {
  readonly maxLoaded: number;
  readonly maxBytes: number;
  /** Milliseconds that something stays without holders; negative: until its place is needed. */
  readonly keepMs: number;
  /** What somebody gets who asks for more than there can be. */
  readonly tooLarge: (name: string, bytes: number, maxBytes: number) => Error;
  readonly closed: () => Error;
}

export interface Hold<Loaded> {
  readonly loaded: Loaded;
  /** Once, however often it is called. */
  release(): void;
  share(): Hold<Loaded>;
}

export class ModelPool<Loaded> {
  readonly #members: Map<string, PoolMember<Loaded>>;
  readonly #options: PoolOptions;
  #turn = 0;
  #closed = false;

  constructor(things: readonly PoolThing<Loaded>[], options: PoolOptions) {
    this.#members = new Map(things.map((thing) => [thing.name, new PoolMember(thing)]));
    this.#options = options;
  }

  get members(): ReadonlyMap<string, PoolMember<Loaded>> {
    return this.#members;
  }

  /** One more of a name that is not taken. */
  add(thing: PoolThing<Loaded>): void {
    this.#members.set(thing.name, new PoolMember(thing));
  }

  /** Takes a member away that is not loaded and that nobody waits for; false: it is still in use. */
  remove(name: string): boolean {
    const member = this.#members.get(name);
    if (member && (member.isPresent || member.waiters.length > 0)) return false;
    this.#members.delete(name);
    return true;
  }

  /**
   * @param name of a member
   * @param keepMs how long it stays without holders from now on
   * @throws what loading throws, the reason of `signal`, and the errors of the options
   */
  acquire(name: string, signal?: AbortSignal, keepMs?: number): Promise<Hold<Loaded>> {
    const member = this.members.get(name)!;
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(this.#options.closed());
      if (signal?.aborted) return reject(signal.reason);
      const leave = (): void => {
        member.waiters = member.waiters.filter((other) => other !== waiter);
        reject(signal?.reason);
        this.#pump();
      };
      const waiter: Waiter = {
        turn: this.#turn++,
        grant: () => {
          signal?.removeEventListener('abort', leave);
          member.keepMs = keepMs;
          resolve(this.#hold(member));
        },
        fail: (error) => {
          signal?.removeEventListener('abort', leave);
          reject(error);
        },
      };
      signal?.addEventListener('abort', leave);
      member.waiters.push(waiter);
      this.#pump();
    });
  }

  /** A look at what is loaded, which makes it stay no longer than it would; undefined when it is not. */
  peek(name: string): Hold<Loaded> | undefined {
    const member = this.members.get(name)!;
    this.#buryDead(member);
    return member.state === 'loaded' ? this.#hold(member, true) : undefined;
  }

  /** Lets it go as soon as nobody holds it; one that is being loaded goes when it is there. */
  release(name: string): void {
    const member = this.members.get(name)!;
    if (!member.isPresent) return;
    member.told = true;
    if (member.isIdle) this.#unload(member);
  }

  /** Everything goes, held or not. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const member of this.members.values()) {
      for (const waiter of member.take()) waiter.fail(this.#options.closed());
      if (member.state === 'loaded') this.#unload(member);
    }
    while ([...this.members.values()].some(({ isPresent }) => isPresent)) await this.#settled();
  }

  /** Those who wait for a member to change its state. */
  #watchers: (() => void)[] = [];
  readonly #settled = (): Promise<void> => new Promise((resolve) => this.#watchers.push(resolve));

  /** What can be done is done; called after every change. */
  #pump(): void {
    for (const member of this.members.values()) {
      this.#buryDead(member);
      if (member.isOpen) for (const waiter of member.take()) waiter.grant();
    }
    if (!this.#closed) this.#serveFirst();
    const watchers = this.#watchers;
    this.#watchers = [];
    for (const watcher of watchers) watcher();
  }

  /** Makes room for the one who waits longest, and loads. */
  #serveFirst(): void {
    const all = [...this.members.values()];
    const first = all
      .filter(({ state, waiters }) => state === 'unloaded' && waiters.length > 0)
      .sort((a, b) => a.firstTurn - b.firstTurn)[0];
    if (first?.bytes === 0) {
      this.#measure(first);
      return;
    }
    const { maxBytes, maxLoaded, tooLarge } = this.#options;
    if (first && first.bytes > maxBytes) {
      this.#fail(first, tooLarge(first.thing.name, first.bytes, maxBytes));
      return;
    }
    const fits = (others: ReadonlySet<PoolMember<Loaded>>): boolean =>
      first === undefined ||
      (others.size < maxLoaded && [...others].reduce((sum, { bytes }) => sum + bytes, first.bytes) <= maxBytes);
    const present = all.filter(({ isPresent }) => isPresent);
    if (first && fits(new Set(present))) {
      this.#load(first);
      this.#pump();
      return;
    }
    // As few as are needed: idle ones before others, then those that were used longest ago. What is being loaded is waited for.
    const staying = new Set(present.filter(({ state, told }) => state !== 'unloading' && !told));
    const candidates = [...staying]
      .filter(({ state }) => state === 'loaded')
      .sort((a, b) => Number(b.isIdle) - Number(a.isIdle) || a.usedAt - b.usedAt);
    for (const candidate of candidates) {
      candidate.draining = !fits(staying);
      if (candidate.draining) staying.delete(candidate);
    }
    for (const member of candidates) {
      if (member.draining && member.isIdle) this.#unload(member);
      // Where another became idle in the meantime, this one need not go.
      if (member.isOpen) for (const waiter of member.take()) waiter.grant();
    }
  }

  /** Its size is asked once before each load: files change. */
  #measure(member: PoolMember<Loaded>): void {
    member.state = 'loading';
    member.thing.estimate().then(
      (bytes) => {
        member.state = 'unloaded';
        member.bytes = Math.max(1, bytes);
        this.#pump();
      },
      (error) => this.#fail(member, error),
    );
  }

  #load(member: PoolMember<Loaded>): void {
    const { thing } = member;
    member.state = 'loading';
    member.failure = undefined;
    const onProgress = (done: number, total: number): void => {
      member.progress = { done, total };
    };
    thing.load(onProgress).then(
      (loaded) => {
        member.progress = undefined;
        member.loaded = loaded;
        member.bytes = thing.bytesOf(loaded);
        member.state = 'loaded';
        member.usedAt = this.#turn++;
        if (this.#closed) {
          this.#unload(member);
          return;
        }
        // Those who waited have it before it can be told to go.
        for (const waiter of member.take()) waiter.grant();
        this.#settle(member);
        this.#pump();
      },
      (error) => this.#fail(member, error),
    );
  }

  #fail(member: PoolMember<Loaded>, error: unknown): void {
    this.#forget(member);
    member.failure = error;
    for (const waiter of member.take()) waiter.fail(error);
    this.#pump();
  }

  #hold(member: PoolMember<Loaded>, isPeek = false): Hold<Loaded> {
    const loaded = member.loaded!;
    member.holders++;
    if (!isPeek) {
      member.usedAt = this.#turn++;
      member.stopExpiring();
    }
    let held = true;
    return {
      loaded,
      // What died in the meantime holds no place, and what was loaded in its stead is not what is shared.
      share: () => (member.loaded === loaded ? this.#hold(member) : ended(loaded)),
      release: () => {
        if (!held) return;
        held = false;
        if (member.loaded !== loaded) return;
        member.holders--;
        this.#settle(member);
        this.#pump();
      },
    };
  }

  /** What happens to one that nobody holds. */
  #settle(member: PoolMember<Loaded>): void {
    if (!member.isIdle) return;
    const ms = member.keepMs ?? this.#options.keepMs;
    const isOver = member.expiresMs !== undefined && member.expiresMs <= Date.now();
    if (member.draining || member.told || ms === 0 || isOver) this.#unload(member);
    else if (member.expiresMs === undefined) member.expireIn(ms, () => member.isIdle && this.#unload(member));
  }

  #unload(member: PoolMember<Loaded>): void {
    const { loaded } = member;
    member.stopExpiring();
    member.state = 'unloading';
    const gone = (): void => {
      this.#forget(member);
      this.#pump();
    };
    // Whatever its end was like, it holds nothing any more.
    member.thing.close(loaded!).then(gone, gone);
  }

  /** One whose engine has ended takes no place, and is loaded anew by whoever asks next. */
  #buryDead(member: PoolMember<Loaded>): void {
    if (member.state !== 'loaded') return;
    const failure = member.thing.failureOf(member.loaded!);
    if (failure === undefined) return;
    member.thing.close(member.loaded!).catch(() => {});
    this.#forget(member);
    member.failure = failure;
  }

  #forget(member: PoolMember<Loaded>): void {
    member.stopExpiring();
    member.state = 'unloaded';
    member.loaded = undefined;
    member.progress = undefined;
    member.bytes = 0;
    member.holders = 0;
    member.draining = false;
    member.told = false;
    member.keepMs = undefined;
  }
}

const ended = <Loaded>(loaded: Loaded): Hold<Loaded> => ({ loaded, share: () => ended(loaded), release: () => {} });
