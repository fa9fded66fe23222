// What is known of a program before it runs: where nothing is needed (nullable), and what can be finished at all. Grammars of
// many tools have thousands of nodes, and are compiled while others wait: arrays of numbers, and no object for a node.
import type { GrammarNode } from './program.ts';

export function knownOf(nodes: readonly GrammarNode[]): { nullable: Uint8Array; finishable: Uint8Array } {
  const dependents = dependentsOf(nodes);
  return {
    nullable: fixedPoint(nodes, dependents, isNullable),
    finishable: fixedPoint(nodes, dependents, isFinishable),
  };
}

type Holds = (node: GrammarNode, known: Uint8Array) => boolean;

function isNullable(node: GrammarNode, known: Uint8Array): boolean {
  switch (node.kind) {
    case 'end':
      return true;
    case 'jump':
      return someKnown(node.next, known);
    case 'call':
      return known[node.entry] === 1 && known[node.next] === 1;
    case 'repeat':
      return (node.min === 0 || known[node.entry] === 1) && known[node.next] === 1;
    case 'measured':
      return node.min === 0 && known[node.entry] === 1 && known[node.next] === 1;
    case 'text':
    case 'bytes':
    case 'tokens':
      return false;
  }
}

function isFinishable(node: GrammarNode, known: Uint8Array): boolean {
  switch (node.kind) {
    case 'end':
      return true;
    case 'jump':
      return someKnown(node.next, known);
    case 'text':
      return known[node.next] === 1;
    case 'bytes':
      for (const [, , next] of node.edges) if (known[next] === 1) return true;
      return false;
    case 'tokens':
      return known[node.next] === 1;
    case 'call':
    case 'measured':
      return known[node.entry] === 1 && known[node.next] === 1;
    case 'repeat':
      return (node.min === 0 || known[node.entry] === 1) && known[node.next] === 1;
  }
}

function someKnown(ids: readonly number[], known: Uint8Array): boolean {
  for (const id of ids) if (known[id] === 1) return true;
  return false;
}

/** Least fixed point of a property over the graph: `holds` looks at nodes that have it already. */
function fixedPoint(nodes: readonly GrammarNode[], { starts, ids }: Adjacency, holds: Holds): Uint8Array {
  const known = new Uint8Array(nodes.length);
  const queue = new Int32Array(nodes.length);
  let length = 0;
  const learn = (id: number): void => {
    const node = nodes[id]!;
    if (known[id] === 1 || !holds(node, known)) return;
    // All places of a text are finished as its first one is, and nothing but a text leads into its middle.
    if (node.kind === 'text') known.fill(1, id, id + node.bytes.length);
    else known[id] = 1;
    queue[length++] = id;
  };
  for (let id = 0; id < nodes.length; id = behindNode(nodes[id]!, id)) learn(id);
  for (let i = 0; i < length; i++) for (let at = starts[queue[i]!]!; at < starts[queue[i]! + 1]!; at++) learn(ids[at]!);
  return known;
}

/** Lists of nodes, one behind another in one array. */
interface Adjacency {
  readonly starts: Int32Array;
  readonly ids: Int32Array;
}

/** For each node those that lead to it. */
function dependentsOf(nodes: readonly GrammarNode[]): Adjacency {
  const starts = new Int32Array(nodes.length + 1);
  const count = (next: number): void => {
    starts[next + 1]!++;
  };
  for (let id = 0; id < nodes.length; id = behindNode(nodes[id]!, id)) forEachSuccessor(nodes[id]!, count);
  for (let id = 0; id < nodes.length; id++) starts[id + 1]! += starts[id]!;
  const places = starts.slice();
  const ids = new Int32Array(starts[nodes.length]!);
  let dependent = 0;
  const note = (next: number): void => {
    ids[places[next]!++] = dependent;
  };
  for (; dependent < nodes.length; dependent = behindNode(nodes[dependent]!, dependent))
    forEachSuccessor(nodes[dependent]!, note);
  return { starts, ids };
}

const behindNode = (node: GrammarNode, id: number): number => id + (node.kind === 'text' ? node.bytes.length : 1);

function forEachSuccessor(node: GrammarNode, use: (id: number) => void): void {
  switch (node.kind) {
    case 'end':
      return;
    case 'jump':
      for (const next of node.next) use(next);
      return;
    case 'bytes':
      for (const [, , next] of node.edges) use(next);
      return;
    case 'text':
    case 'tokens':
      use(node.next);
      return;
    case 'call':
    case 'repeat':
    case 'measured':
      use(node.entry);
      use(node.next);
  }
}
