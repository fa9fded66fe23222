// Expressions and rules to a program. An expression is laid from its end to its start: each is told the node behind it.
import { QuernError } from '@quern/errors';
import type { CodePointSet } from '../characters/code-point-set.ts';
import { type ByteRanges, utf8Ranges } from '../characters/utf8.ts';
import type { ByteAutomaton, Expression, Scope } from '../expression.ts';
import { spend } from '../work.ts';
import { knownOf } from './analysis.ts';
import { byteClasses } from './byte-classes.ts';
import { refuseLeftRecursion } from './left-recursion.ts';
import { packed } from './packed.ts';
import type { AutomatonNodes, ByteEdge, GrammarNode, Program } from './program.ts';

const maxNodes = 1_000_000;
const maxDepth = 1_000;
/** A node is looked at several times before it is used. */
const stepsOfNode = 10;
const unbounded = Number.POSITIVE_INFINITY;

/**
 * @throws QuernError `grammar-rule-missing`, `grammar-left-recursion`, `grammar-too-large`, `grammar-too-deep`,
 *   `grammar-unsatisfiable`
 */
export function programOf(scope: Scope, root: string): Program {
  const lowering = new Lowering();
  const start = lowering.entryOf(root, scope);
  lowering.layPending();
  const { nodes } = lowering;
  const { nullable, finishable } = knownOf(nodes);
  refuseLeftRecursion(nodes, nullable, (entry) => lowering.nameOf(entry));
  if (finishable[start] === 0)
    throw new QuernError('grammar-unsatisfiable', 'No text satisfies the grammar.', {
      remedy: 'Look for a rule that never ends, or for demands that contradict each other.',
    });
  return { ...packed(nodes), classes: byteClasses(nodes), automata: lowering.automata, start, finishable };
}

class Lowering {
  readonly nodes: GrammarNode[] = [];
  readonly automata: AutomatonNodes[] = [];
  readonly #entries = new Map<Scope, Map<string, number>>();
  readonly #names = new Map<number, string>();
  readonly #pending: { entry: number; body: Expression; scope: Scope }[] = [];
  readonly #automata = new Map<ByteAutomaton, number>();
  readonly #classes = new Map<CodePointSet, number>();
  readonly #end: number;

  constructor() {
    this.#end = this.#add({ kind: 'end' });
  }

  /** The node of a rule; its body is laid later, so that rules may call each other. */
  entryOf(name: string, from: Scope): number {
    const scope = scopeOf(name, from);
    if (!scope) throw new QuernError('grammar-rule-missing', `The grammar has no rule ${JSON.stringify(name)}.`);
    const entries = this.#entries.get(scope) ?? new Map<string, number>();
    this.#entries.set(scope, entries);
    const known = entries.get(name);
    if (known !== undefined) return known;
    const entry = this.#reserve(scope.rules.get(name)!, scope);
    entries.set(name, entry);
    this.#names.set(entry, JSON.stringify(name));
    return entry;
  }

  nameOf(entry: number): string {
    return this.#names.get(entry) ?? '(a part of one)';
  }

  layPending(): void {
    for (let next = this.#pending.pop(); next; next = this.#pending.pop()) {
      this.nodes[next.entry] = { kind: 'jump', next: [this.#lay(next.body, this.#end, next.scope, 0)] };
    }
  }

  #reserve(body: Expression, scope: Scope): number {
    const entry = this.#add({ kind: 'jump', next: [] });
    this.#pending.push({ entry, body, scope });
    return entry;
  }

  #lay(expression: Expression, next: number, scope: Scope, depth: number): number {
    if (depth > maxDepth) throw new QuernError('grammar-too-deep', `The grammar nests deeper than ${maxDepth} levels.`);
    const inner = (part: Expression, behind: number): number => this.#lay(part, behind, scope, depth + 1);
    switch (expression.kind) {
      case 'text':
        return this.#text(expression.bytes, next);
      case 'characters':
        return this.#characters(utf8Ranges(expression.set), next);
      case 'tokens':
        return this.#add({ ...expression, next });
      case 'rule': {
        const plain = plainBody(expression, scope);
        if (plain) return inner(plain, next);
        return this.#add({ kind: 'call', entry: this.entryOf(expression.name, expression.of ?? scope), next });
      }
      case 'sequence':
        return expression.items.reduceRight((behind, item) => inner(item, behind), next);
      case 'choice':
        return this.#add({ kind: 'jump', next: expression.options.map((option) => inner(option, next)) });
      case 'automaton':
        return this.#automaton(expression, next);
      case 'repeat':
        return this.#repeat(expression, next, scope, inner);
    }
  }

  #text(bytes: Uint8Array, next: number): number {
    if (bytes.length === 0) return next;
    const first = this.nodes.length;
    const node: GrammarNode = { kind: 'text', first, bytes, next };
    for (let i = 0; i < bytes.length; i++) this.#add(node);
    return first;
  }

  #repeat(
    { item, min, max }: Extract<Expression, { kind: 'repeat' }>,
    next: number,
    scope: Scope,
    inner: (part: Expression, behind: number) => number,
  ): number {
    if (max === 0) return next;
    if (min === 1 && max === 1) return inner(item, next);
    if (min === 0 && max === 1) return this.#add({ kind: 'jump', next: [inner(item, next), next] });
    if (min <= 1 && max === unbounded) {
      const again: number[] = [];
      const loop = this.#add({ kind: 'jump', next: again });
      const body = inner(item, loop);
      again.push(body, next);
      return min === 0 ? loop : body;
    }
    if (item.kind === 'characters')
      return this.#add({ kind: 'measured', entry: this.#class(item.set), min, max, next });
    return this.#add({ kind: 'repeat', entry: this.#reserve(item, scope), min, max, next });
  }

  /** Any number of characters of a set, each of which counts. */
  #class(set: CodePointSet): number {
    let entry = this.#classes.get(set);
    if (entry === undefined) {
      const edges: ByteEdge[] = [];
      const again = this.#add({ kind: 'bytes', edges, measure: { boundary: true, least: 0, most: unbounded } });
      entry = this.#add({ kind: 'jump', next: [again, this.#end] });
      edges.push(...this.#edges(utf8Ranges(set), entry));
      this.#classes.set(set, entry);
    }
    return entry;
  }

  #automaton({ automaton, min, max }: Extract<Expression, { kind: 'automaton' }>, next: number): number {
    let entry = this.#automata.get(automaton);
    if (entry === undefined) {
      entry = this.#automatonRule(automaton);
      this.#automata.set(automaton, entry);
    }
    return this.#add(
      min === 0 && max === unbounded ? { kind: 'call', entry, next } : { kind: 'measured', entry, min, max, next },
    );
  }

  #automatonRule(automaton: ByteAutomaton): number {
    const { states } = automaton;
    const first = this.nodes.length;
    this.automata.push({ id: idOf(automaton), first, count: 2 * states.length });
    // A state is two nodes: a jump to its bytes, and to the end where it is final.
    const nodeOf = (state: number): number => first + 2 * state;
    for (const [state, { edges, final, measure }] of states.entries()) {
      const bytes = nodeOf(state) + 1;
      this.#add({ kind: 'jump', next: final ? [bytes, this.#end] : [bytes] });
      spend(edges.length, 'rules');
      const targets = edges.map(([low, high, target]) => [low, high, nodeOf(target)] as const);
      this.#add({ kind: 'bytes', edges: targets, ...(measure && { measure }) });
    }
    return first;
  }

  #characters(sequences: readonly ByteRanges[], next: number): number {
    return this.#add(oneByte(this.#edges(sequences, next)));
  }

  /** Sequences that end alike share their ends. */
  #edges(sequences: readonly ByteRanges[], next: number): ByteEdge[] {
    const tails = new Map<string, number>();
    const tail = (ranges: ByteRanges): number => {
      if (ranges.length === 0) return next;
      const key = ranges.join(';');
      let node = tails.get(key);
      if (node === undefined) {
        const [[low, high]] = ranges as readonly [readonly [number, number]];
        node = this.#add(oneByte([[low, high, tail(ranges.slice(1))]]));
        tails.set(key, node);
      }
      return node;
    };
    return sequences.map(([first, ...rest]) => [first![0], first![1], tail(rest)] as const);
  }

  #add(node: GrammarNode): number {
    spend(stepsOfNode, 'rules');
    if (this.nodes.length >= maxNodes)
      throw new QuernError('grammar-too-large', `The grammar needs more than ${maxNodes} nodes.`, {
        remedy: 'Use fewer or shorter alternatives.',
      });
    return this.nodes.push(node) - 1;
  }
}

const ids = new WeakMap<ByteAutomaton, string>();
const thread = Math.random().toString(36);
let automata = 0;

function idOf(automaton: ByteAutomaton): string {
  let id = ids.get(automaton);
  if (id === undefined) ids.set(automaton, (id = `${thread} ${automata++}`));
  return id;
}

/** The scope that holds a rule. */
function scopeOf(name: string, from: Scope): Scope | undefined {
  let scope: Scope | undefined = from;
  while (scope && !scope.rules.has(name)) scope = scope.outer;
  return scope;
}

const maxPlainBytes = 100;

/** A rule that is a short text or an automaton needs no call: alternatives that begin alike are then one place for longer. */
function plainBody({ name, of }: Extract<Expression, { kind: 'rule' }>, scope: Scope): Expression | undefined {
  let at: Scope | undefined = scopeOf(name, of ?? scope);
  let body = at?.rules.get(name);
  for (let steps = 0; body?.kind === 'rule' && steps < 4; steps++) {
    at = scopeOf(body.name, body.of ?? at!);
    body = at?.rules.get(body.name);
  }
  if (body?.kind === 'text' && body.bytes.length <= maxPlainBytes) return body;
  return body?.kind === 'automaton' ? body : undefined;
}

const oneByte = (edges: readonly ByteEdge[]): GrammarNode => ({ kind: 'bytes', edges });
