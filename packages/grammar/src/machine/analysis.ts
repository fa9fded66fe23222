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
  const dependents: number[][] = nodes.map(() => []);
  nodes.forEach((node, id) => {
    for (const needed of successors(node)) dependents[needed]!.push(id);
  });
  const queue = [...nodes.keys()];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    if (known[id] === 1 || !holds(nodes[id]!, has)) continue;
    known[id] = 1;
    for (const dependent of dependents[id]!) if (known[dependent] === 0) queue.push(dependent);
  }
  return known;
}

function successors(node: GrammarNode): number[] {
  if (node.kind === 'bytes') return node.edges.map(([, , next]) => next);
  if (node.kind === 'jump') return [...node.next];
  if (node.kind === 'end') return [];
  return node.kind === 'tokens' ? [node.next] : [node.entry, node.next];
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
  const component = components(nodes.length, (id) => leftSuccessors(nodes[id]!, nullable).map(({ id: next }) => next));
  nodes.forEach((node, id) => {
    const entry = leftSuccessors(node, nullable).find((next) => next.call && component[next.id] === component[id]);
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
    if (order[root] !== -1) continue;
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

/** Nodes that are entered from a node before any byte. */
function leftSuccessors(node: GrammarNode, nullable: Uint8Array): { id: number; call: boolean }[] {
  if (node.kind === 'jump') return node.next.map((id) => ({ id, call: false }));
  if (node.kind === 'bytes' || node.kind === 'tokens' || node.kind === 'end') return [];
  const entry = { id: node.entry, call: true };
  const skipped = nullable[node.entry] === 1 || (node.kind === 'repeat' && node.min === 0);
  return skipped ? [entry, { id: node.next, call: false }] : [entry];
}
