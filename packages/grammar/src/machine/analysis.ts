// What is known of a program before it runs: where nothing is needed (nullable), what can be finished at all, and that no rule
// begins with itself, which a reader from left to right would follow for ever.
import { QuernError } from '@quern/errors';
import type { GrammarNode } from './program.ts';

/** Least fixed point of a property over the graph: `holds` looks at nodes that have it already. */
function fixedPoint(
  nodes: readonly GrammarNode[],
  holds: (node: GrammarNode, has: (id: number) => boolean) => boolean,
): Uint8Array {
  const known = new Uint8Array(nodes.length);
  const has = (id: number): boolean => known[id] === 1;
  const { starts, dependents } = dependentsOf(nodes);
  const queue = new Int32Array(nodes.length);
  let length = 0;
  const learn = (id: number): void => {
    if (known[id] === 1 || !holds(nodes[id]!, has)) return;
    known[id] = 1;
    queue[length++] = id;
  };
  for (let id = 0; id < nodes.length; id++) learn(id);
  for (let i = 0; i < length; i++)
    for (let at = starts[queue[i]!]!; at < starts[queue[i]! + 1]!; at++) learn(dependents[at]!);
  return known;
}

/** For each node those that lead to it, one behind another in one array. */
function dependentsOf(nodes: readonly GrammarNode[]): { starts: Int32Array; dependents: Int32Array } {
  const starts = new Int32Array(nodes.length + 1);
  for (const node of nodes) forEachSuccessor(node, (id) => starts[id + 1]!++);
  for (let id = 0; id < nodes.length; id++) starts[id + 1]! += starts[id]!;
  const places = starts.slice();
  const dependents = new Int32Array(starts[nodes.length]!);
  for (const [id, node] of nodes.entries()) forEachSuccessor(node, (next) => (dependents[places[next]!++] = id));
  return { starts, dependents };
}

function forEachSuccessor(node: GrammarNode, use: (id: number) => void): void {
  if (node.kind === 'bytes') for (const [, , next] of node.edges) use(next);
  else if (node.kind === 'jump') for (const next of node.next) use(next);
  else if (node.kind !== 'end') {
    if (node.kind !== 'tokens') use(node.entry);
    use(node.next);
  }
}

export const nullableNodes = (nodes: readonly GrammarNode[]): Uint8Array =>
  fixedPoint(nodes, (node, has) => {
    if (node.kind === 'end') return true;
    if (node.kind === 'jump') return node.next.some(has);
    if (node.kind === 'call') return has(node.entry) && has(node.next);
    if (node.kind === 'repeat') return (node.min === 0 || has(node.entry)) && has(node.next);
    return node.kind === 'measured' && node.min === 0 && has(node.entry) && has(node.next);
  });

export const finishableNodes = (nodes: readonly GrammarNode[]): Uint8Array =>
  fixedPoint(nodes, (node, has) => {
    if (node.kind === 'end') return true;
    if (node.kind === 'jump') return node.next.some(has);
    if (node.kind === 'bytes') return node.edges.some(([, , next]) => has(next));
    if (node.kind === 'tokens') return has(node.next);
    if (node.kind === 'call' || node.kind === 'measured') return has(node.entry) && has(node.next);
    return (node.min === 0 || has(node.entry)) && has(node.next);
  });

/** @throws QuernError `grammar-left-recursion`: a call leads back to itself before any byte */
export function refuseLeftRecursion(
  nodes: readonly GrammarNode[],
  nullable: Uint8Array,
  nameOf: (entry: number) => string,
): void {
  const left = nodes.map((node) => leftSuccessors(node, nullable));
  const component = components(nodes.length, (id) => left[id]!.map(({ id: next }) => next));
  left.forEach((successors, id) => {
    const entry = successors.find((next) => next.call && component[next.id] === component[id]);
    if (entry === undefined) return;
    throw new QuernError(
      'grammar-left-recursion',
      `The rule ${nameOf(entry.id)} begins with itself; such a grammar has no first character.`,
      { remedy: 'Write the repetition to the right: a ::= b ("+" b)* instead of a ::= a "+" b | b.' },
    );
  });
}

/** Strongly connected components (Tarjan), without recursion: grammars may be deep. */
function components(count: number, next: (id: number) => number[]): Int32Array {
  const order = new Int32Array(count).fill(-1);
  const lowest = new Int32Array(count);
  const component = new Int32Array(count).fill(-1);
  const open: number[] = [];
  let entered = 0;
  for (let root = 0; root < count; root++) {
    if (order[root] !== -1 || next(root).length === 0) continue;
    const path: { id: number; rest: number[] }[] = [];
    const enter = (id: number): void => {
      order[id] = lowest[id] = entered++;
      open.push(id);
      path.push({ id, rest: next(id) });
    };
    enter(root);
    while (path.length > 0) {
      const { id, rest } = path.at(-1)!;
      const successor = rest.pop();
      if (successor !== undefined) {
        if (order[successor] === -1) enter(successor);
        else if (component[successor] === -1) lowest[id] = Math.min(lowest[id]!, order[successor]!);
        continue;
      }
      path.pop();
      const parent = path.at(-1);
      if (parent) lowest[parent.id] = Math.min(lowest[parent.id]!, lowest[id]!);
      if (lowest[id] === order[id]) for (let member = -1; member !== id; ) component[(member = open.pop()!)] = id;
    }
  }
  return component;
}

interface LeftSuccessor {
  readonly id: number;
  readonly call: boolean;
}
const none: readonly LeftSuccessor[] = [];

/** Nodes that are entered from a node before any byte. */
function leftSuccessors(node: GrammarNode, nullable: Uint8Array): readonly LeftSuccessor[] {
  if (node.kind === 'jump') return node.next.map((id) => ({ id, call: false }));
  if (node.kind === 'bytes' || node.kind === 'tokens' || node.kind === 'end') return none;
  const entry = { id: node.entry, call: true };
  const skipped = nullable[node.entry] === 1 || (node.kind === 'repeat' && node.min === 0);
  return skipped ? [entry, { id: node.next, call: false }] : [entry];
}
