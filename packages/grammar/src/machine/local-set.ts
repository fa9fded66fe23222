// Where a text can be within one rule: a set of nodes, made deterministic when it is first needed (the subset construction,
// lazily). Sets are interned, so everything that is known of a place (its transitions, its token masks) is kept with it.
import type { ByteClasses } from './byte-classes.ts';
import { jumpsAt, kindAt, nodeAt } from './packed.ts';
import { behindByte, byteAt, type GrammarNode, type Measure, type Program } from './program.ts';

type Reading = Extract<GrammarNode, { kind: 'bytes' | 'text' }>;
type Calling = Extract<GrammarNode, { kind: 'call' | 'repeat' | 'measured' }>;

/** The same rule called from several nodes of a set: one call, which returns to all of them. */
export interface LocalCall {
  readonly kind: Calling['kind'];
  readonly entry: number;
  readonly min: number;
  readonly max: number;
  readonly next: readonly number[];
  /** The sets of `entry` and `next`, made when the call is first entered. Null: nothing can be finished there. */
  sets?: { readonly body: LocalSet | null; readonly behind: LocalSet | null };
}

export class LocalSet {
  readonly id: number;
  readonly members: readonly number[];
  /** Nodes that read a byte. */
  readonly reading: readonly { readonly id: number; readonly node: Reading }[];
  readonly tokens: readonly Extract<GrammarNode, { kind: 'tokens' }>[];
  readonly calls: readonly LocalCall[];
  /** The rule can end here. */
  readonly final: boolean;
  /** Of a rule that is measured. */
  readonly measure: Measure | undefined;
  /** By class of byte: where it leads, null where it leads nowhere, undefined where nobody asked yet. */
  row: (LocalSet | null | undefined)[] | undefined;

  constructor(id: number, members: readonly number[], program: Program) {
    this.id = id;
    this.members = members;
    const all = members.map((node) => nodeAt(program, node));
    this.reading = members.flatMap((id, i) => {
      const node = all[i]!;
      return node.kind === 'bytes' || node.kind === 'text' ? [{ id, node }] : [];
    });
    this.tokens = all.filter((node) => node.kind === 'tokens');
    this.calls = groupCalls(all.filter((node): node is Calling => 'entry' in node));
    this.final = all.some(({ kind }) => kind === 'end');
    this.measure = all.find((node) => node.kind === 'bytes')?.measure;
  }

  /** Nothing can follow but the end of the rule. */
  get onlyEnds(): boolean {
    return this.final && this.reading.length === 0 && this.calls.length === 0 && this.tokens.length === 0;
  }
}

function groupCalls(nodes: readonly Calling[]): LocalCall[] {
  const groups = new Map<string, LocalCall & { next: number[] }>();
  for (const node of nodes) {
    const { min, max } = node.kind === 'call' ? { min: 0, max: 0 } : node;
    const key = `${node.kind} ${node.entry} ${min} ${max}`;
    const group = groups.get(key);
    if (group) group.next.push(node.next);
    else groups.set(key, { kind: node.kind, entry: node.entry, min, max, next: [node.next] });
  }
  return [...groups.values()];
}

/** The sets of a program, one object for each. */
export class LocalSets {
  readonly #program: Program;
  readonly #classes: ByteClasses;
  readonly #known = new Map<string | number, LocalSet>();
  /** Of single nodes. */
  readonly #ofNode = new Map<number, LocalSet | null>();

  constructor(program: Program, classes: ByteClasses) {
    this.#program = program;
    this.#classes = classes;
  }

  setsOf(call: LocalCall): NonNullable<LocalCall['sets']> {
    call.sets ??= { body: this.ofNode(call.entry), behind: this.from(call.next) };
    return call.sets;
  }

  ofNode(id: number): LocalSet | null {
    let set = this.#ofNode.get(id);
    if (set === undefined) this.#ofNode.set(id, (set = this.from([id])));
    return set;
  }

  /** Nodes and what jumps lead to from them, without those from which nothing can be finished. Null: none is left. */
  from(nodes: Iterable<number>): LocalSet | null {
    const program = this.#program;
    const seen = new Set<number>();
    const members: number[] = [];
    const pending = [...nodes];
    for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
      if (seen.has(id) || program.finishable[id] === 0) continue;
      seen.add(id);
      if (kindAt(program, id) === 'jump') for (const next of jumpsAt(program, id)) pending.push(next);
      else members.push(id);
    }
    members.sort((a, b) => a - b);
    return members.length === 0 ? null : this.#intern(members);
  }

  /** All of `sets` (one at least) at once: an object with thousands of optional properties has as many. */
  union(sets: readonly LocalSet[]): LocalSet {
    if (sets.length === 1) return sets[0]!;
    return this.#intern([...new Set(sets.flatMap(({ members }) => members))].sort((x, y) => x - y));
  }

  after(set: LocalSet, byteClass: number): LocalSet | null {
    set.row ??= new Array(this.#classes.count);
    const known = set.row[byteClass];
    if (known !== undefined) return known;
    const after = this.#step(set, this.#classes.representatives[byteClass]!);
    set.row[byteClass] = after;
    return after;
  }

  #step(set: LocalSet, byte: number): LocalSet | null {
    const next: number[] = [];
    for (const { id, node } of set.reading) {
      if (node.kind === 'text') {
        if (byteAt(node, id) === byte) next.push(behindByte(node, id));
      } else for (const [low, high, target] of node.edges) if (low <= byte && byte <= high) next.push(target);
    }
    if (next.length === 1) return this.ofNode(next[0]!);
    return next.length === 0 ? null : this.from(next);
  }

  #intern(members: readonly number[]): LocalSet {
    const key = members.length === 1 ? members[0]! : members.join();
    let set = this.#known.get(key);
    if (!set) {
      set = new LocalSet(this.#known.size, members, this.#program);
      this.#known.set(key, set);
    }
    return set;
  }
}
