// Promises of the pool, tried with random programs: small objects that take a moment to load, fail, die, and are counted while
// they live. What must hold is checked at every step, not only at the end.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ModelPool, type PoolThing } from './model-pool.ts';

interface Thing {
  readonly name: string;
  dead: boolean;
  closed: boolean;
}

/** Some turns of the event loop, so that things overlap. */
const moments = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
};

class Machine {
  readonly alive = new Set<Thing>();
  readonly faults: string[] = [];
  readonly maxLoaded: number;
  readonly maxBytes: number;
  loading = new Map<string, number>();
  failNext = new Set<string>();

  constructor(maxLoaded: number, maxBytes: number) {
    this.maxLoaded = maxLoaded;
    this.maxBytes = maxBytes;
  }

  thing(name: string, bytes: number, loadMoments: number): PoolThing<Thing> {
    return {
      name,
      estimate: async () => bytes,
      load: async (onProgress) => {
        const loads = (this.loading.get(name) ?? 0) + 1;
        this.loading.set(name, loads);
        this.#check(loads > 1 && `${name} is loaded twice at once`);
        this.#check([...this.alive].some((thing) => thing.name === name) && `${name} is loaded while it is there`);
        const present = this.alive.size + [...this.loading.values()].reduce((sum, n) => sum + n, 0);
        this.#check(present > this.maxLoaded && `${present} at once`);
        onProgress(1, 2);
        await moments(loadMoments);
        this.loading.set(name, 0);
        if (this.failNext.delete(name)) throw new Error(`${name} fails`);
        const thing = { name, dead: false, closed: false };
        this.alive.add(thing);
        return thing;
      },
      bytesOf: () => bytes,
      failureOf: (thing) => (thing.dead ? new Error(`${name} is dead`) : undefined),
      close: async (thing) => {
        thing.closed = true;
        // A dead one frees its memory by dying.
        if (!thing.dead) await moments(1);
        this.alive.delete(thing);
      },
    };
  }

  kill(name: string): void {
    for (const thing of this.alive) {
      if (thing.name !== name || thing.closed) continue;
      thing.dead = true;
      this.alive.delete(thing);
    }
  }

  #check(fault: string | false): void {
    if (fault) this.faults.push(fault);
  }
}

const poolOf = (machine: Machine, things: readonly PoolThing<Thing>[], keepMs: number) =>
  new ModelPool<Thing>(things, {
    maxLoaded: machine.maxLoaded,
    maxBytes: machine.maxBytes,
    keepMs,
    tooLarge: (name) => new Error(`${name} is too large`),
    closed: () => new Error('closed'),
  });

const names = ['a', 'b', 'c', 'd'];
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('acquire' as const),
      name: fc.constantFrom(...names),
      holdMoments: fc.nat(6),
      keepMs: fc.constantFrom(undefined, 0, -1, 1),
      leaves: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('unload' as const), name: fc.constantFrom(...names) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fail' as const), name: fc.constantFrom(...names) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('die' as const), name: fc.constantFrom(...names) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('peek' as const), name: fc.constantFrom(...names) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), count: fc.nat(4) }) },
);

it('serves everybody what he asked for, within places and bytes, whatever fails, dies or leaves', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 1, max: 3 }),
      fc.constantFrom(-1, 0, 1),
      async (program, maxLoaded, keepMs) => {
        const sizes: Record<string, number> = { a: 1, b: 2, c: 3, d: 9 };
        const machine = new Machine(maxLoaded, 5);
        const things = names.map((name, i) => machine.thing(name, sizes[name]!, i + 1));
        const pool = poolOf(machine, things, keepMs);
        const requests: Promise<string>[] = [];
        for (const action of program) {
          if (action.do === 'wait') await moments(action.count);
          if (action.do === 'unload') pool.release(action.name);
          if (action.do === 'fail') machine.failNext.add(action.name);
          if (action.do === 'die') {
            // A thread ends in a turn of its own: what was granted in this one has come to its holder before.
            await moments(1);
            machine.kill(action.name);
          }
          if (action.do === 'peek') {
            const held = pool.peek(action.name);
            const look = async (): Promise<string> => {
              await moments(1);
              held?.release();
              return 'peeked';
            };
            if (held) requests.push(look());
          }
          if (action.do !== 'acquire') continue;
          const { name, holdMoments, leaves } = action;
          const abort = new AbortController();
          const hold = async (): Promise<string> => {
            const held = await pool.acquire(name, abort.signal, action.keepMs);
            expect(held.loaded.name).toBe(name);
            expect(held.loaded.dead).toBe(false);
            const shared = held.share();
            held.release();
            held.release();
            for (let i = 0; i < holdMoments; i++) {
              // Closed under the feet of its holder: never, unless it died.
              expect(shared.loaded.closed && !shared.loaded.dead).toBe(false);
              await moments(1);
            }
            shared.release();
            return 'served';
          };
          requests.push(hold().catch((error) => (abort.signal.aborted ? 'left' : (error as Error).message)));
          if (leaves) abort.abort(new Error('left'));
          const bytes = [...machine.alive].reduce((sum, thing) => sum + sizes[thing.name]!, 0);
          expect(bytes).toBeLessThanOrEqual(machine.maxBytes);
        }
        const ends = await Promise.all(requests);
        for (const end of ends) expect(end).toMatch(/^(served|peeked|left|[abc] fails|d is too large)$/);
        expect(machine.faults).toEqual([]);
        // Everything that was there can be had again.
        for (const name of ['a', 'b', 'c']) {
          machine.failNext.delete(name);
          (await pool.acquire(name)).release();
        }
        await pool.close();
        expect(machine.alive.size).toBe(0);
        await expect(pool.acquire('a')).rejects.toThrow('closed');
      },
    ),
    { numRuns: 400 },
  );
});

it('with one place, two that come at the same moment are both served, and one who keeps coming starves nobody', async () => {
  const machine = new Machine(1, 100);
  const pool = poolOf(machine, [machine.thing('a', 1, 3), machine.thing('b', 1, 3)], -1);
  const [first, second] = [pool.acquire('a'), pool.acquire('b')];
  const held = await first;
  let servedB = false;
  void second.then((hold) => {
    servedB = true;
    hold.release();
  });
  // New ones for `a` come before the old one goes, for ever.
  let current = held;
  let rounds = 0;
  while (!servedB && rounds++ < 50) {
    const next = pool.acquire('a');
    await moments(2);
    current.release();
    current = await next;
  }
  current.release();
  expect(servedB).toBe(true);
  expect(rounds).toBeLessThan(3);
  await pool.close();
});

it('what is loaded is not told to go for one that fits beside it, and the one used longest ago goes first', async () => {
  const machine = new Machine(2, 100);
  const pool = poolOf(
    machine,
    ['a', 'b', 'c'].map((name) => machine.thing(name, 1, 1)),
    -1,
  );
  for (const name of ['a', 'b', 'a', 'c']) (await pool.acquire(name)).release();
  expect([...machine.alive].map(({ name }) => name).sort()).toEqual(['a', 'c']);
  await pool.close();
});

it('goes when its time is over, and looking at it does not make it stay', async () => {
  const machine = new Machine(2, 100);
  const pool = poolOf(machine, [machine.thing('a', 1, 1)], 30);
  (await pool.acquire('a')).release();
  const gone = pool.members.get('a')!.expiresMs!;
  while (machine.alive.size > 0) {
    pool.peek('a')?.release();
    if (machine.alive.size > 0) expect(pool.members.get('a')!.expiresMs ?? gone).toBe(gone);
    await moments(1);
  }
  (await pool.acquire('a', undefined, -1)).release();
  expect(pool.members.get('a')!.expiresMs).toBeUndefined();
  await pool.close();
});
