// Where a text can be within one rule: a set of nodes, made deterministic when it is first needed (the subset construction,
// lazily). Sets are interned, so everything that is known of a place (its transitions, its token masks) is kept with it.
import type { ByteClasses } from './byte-classes.ts';
import { jumpsAt, kindAt, nodeAt, textEdgeAt } from './packed.ts';
import type { ByteEdge, GrammarNode, Measure, Program } from './program.ts';

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
  /** What reads a byte. */
  readonly edges: readonly ByteEdge[];
  /** Where one byte alone can be read, as in the middle of a name: its class; -1 elsewhere. */
  readonly onlyClass: number;
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
    const edges: ByteEdge[] = [];
    const others: ReturnType<typeof nodeAt>[] = [];
    for (const member of members) {
      if (kindAt(program, member) === 'text') edges.push(textEdgeAt(program, member));
      else others.push(nodeAt(program, member));
    }
    for (const node of others) if (node.kind === 'bytes') for (const edge of node.edges) edges.push(edge);
    this.edges = edges;
    this.onlyClass = edges.length === 1 && edges[0]![0] === edges[0]![1] ? program.classes.of[edges[0]![0]]! : -1;
    this.tokens = others.filter((node) => node.kind === 'tokens');
    this.calls = groupCalls(others.filter((node): node is Calling => 'entry' in node));
    this.final = others.some(({ kind }) => kind === 'end');
    this.measure = others.find((node) => node.kind === 'bytes')?.measure;
  }

  /** Nothing can follow but the end of the rule. */
  get onlyEnds(): boolean {
    return this.final && this.edges.length === 0 && this.calls.length === 0 && this.tokens.length === 0;
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
    if (set.onlyClass >= 0) return byteClass === set.onlyClass ? this.ofNode(set.edges[0]![2]) : null;
    set.row ??= new Array(this.#classes.count);
    const known = set.row[byteClass];
    if (known !== undefined) return known;
    const after = this.#step(set, this.#classes.representatives[byteClass]!);
    set.row[byteClass] = after;
    return after;
  }

  #step(set: LocalSet, byte: number): LocalSet | null {
    const next: number[] = [];
    for (const [low, high, target] of set.edges) if (low <= byte && byte <= high) next.push(target);
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
