// Runs a program: from a configuration and a byte to the next configuration. Everything is computed when first asked for and
// kept, so in the long run a byte is one look into a row, as in a finished automaton, though the grammar may nest for ever.
import type { ByteClasses } from './byte-classes.ts';
import { Closure, Effort } from './closure.ts';
import { Configuration, type Thread } from './configuration.ts';
import { type Frame, Frames, pairKey } from './frame.ts';
import { type LocalSet, LocalSets } from './local-set.ts';
import type { Program } from './program.ts';

/** Configurations that are remembered; those in use live on. */
const maxConfigurations = 100_000;

export class Machine {
  readonly classes: ByteClasses;
  readonly frames = new Frames();
  readonly effort = new Effort();
  readonly dead: Configuration;
  readonly start: Configuration;
  readonly program: Program;
  readonly #sets: LocalSets;
  #known = new Map<string | number, Configuration>();

  constructor(program: Program) {
    this.program = program;
    this.classes = program.classes;
    this.#sets = new LocalSets(program, this.classes);
    this.dead = new Configuration([], false, false);
    this.dead.row = new Array(this.classes.count).fill(this.dead);
    const first = this.#sets.from([program.start]);
    this.start = first ? this.closure([{ set: first, frame: this.frames.bottom }]) : this.dead;
  }

  after(configuration: Configuration, byteClass: number): Configuration {
    const { onlyClass } = configuration;
    if (onlyClass >= 0)
      return byteClass === onlyClass ? (configuration.next ??= this.#step(configuration, byteClass)) : this.dead;
    configuration.row ??= new Array(this.classes.count);
    return (configuration.row[byteClass] ??= this.#step(configuration, byteClass));
  }

  afterByte(configuration: Configuration, byte: number): Configuration {
    return this.after(configuration, this.classes.of[byte]!);
  }

  /** After a token that the grammar names as a token. */
  afterToken(configuration: Configuration, token: number): Thread[] {
    return configuration.threads.flatMap(({ set, frame }) => {
      const next = set.tokens.filter(({ ids, negated }) => ids.includes(token) !== negated).map((node) => node.next);
      const after = next.length === 0 ? null : this.#sets.from(next);
      return after ? [{ set: after, frame }] : [];
    });
  }

  /** What several ways of reading the same text lead to. */
  either(configurations: readonly Configuration[], threads: readonly Thread[]): Configuration {
    const complete = configurations.some((configuration) => configuration.complete);
    return this.closure([...configurations.flatMap((configuration) => configuration.threads), ...threads], complete);
  }

  /** A place without its calls: they are threads of their own in the configuration that it is taken from. */
  bare(set: LocalSet, frame: Frame): Configuration {
    return this.#intern([{ set, frame }], false, false);
  }

  /** Where the text goes on when the rule above `frame` has ended. */
  popped(frame: Frame): Configuration {
    const closure = new Closure(this.#sets, this.frames, this.effort);
    closure.leave(frame, 0);
    return this.#finish(closure);
  }

  closure(threads: readonly Thread[], complete = false): Configuration {
    const closure = new Closure(this.#sets, this.frames, this.effort);
    closure.complete = complete;
    for (const { set, frame } of threads) closure.visit(set, frame, 0);
    return this.#finish(closure);
  }

  #step({ threads }: Configuration, byteClass: number): Configuration {
    const next: Thread[] = [];
    for (const { set, frame } of threads) {
      const after = this.#sets.after(set, byteClass);
      if (!after) continue;
      const above = frame.kind === 'measured' ? this.frames.measured(frame, set, after) : frame;
      if (above) next.push({ set: after, frame: above });
    }
    return next.length === 0 ? this.dead : this.closure(next);
  }

  #finish(closure: Closure): Configuration {
    const { complete, leaves } = closure.run();
    return this.#intern(closure.places(), complete, leaves);
  }

  #intern(threads: Thread[], complete: boolean, leaves: boolean): Configuration {
    if (threads.length === 0 && !complete && !leaves) return this.dead;
    if (threads.length > 1) threads.sort((a, b) => a.frame.id - b.frame.id);
    const key = keyOf(threads, complete, leaves);
    let configuration = this.#known.get(key);
    if (!configuration) {
      if (this.#known.size >= maxConfigurations) this.#known = new Map();
      configuration = new Configuration(threads, complete, leaves);
      this.#known.set(key, configuration);
    }
    return configuration;
  }
}

/** A number where that will do: most often there is one thread. */
function keyOf(threads: readonly Thread[], complete: boolean, leaves: boolean): string | number {
  const [only] = threads;
  if (threads.length === 1 && !complete && !leaves) return pairKey(only!.set.id, only!.frame.id);
  let key = `${complete ? 1 : 0}${leaves ? 1 : 0}`;
  for (const { set, frame } of threads) key += `;${set.id},${frame.id}`;
  return key;
}
