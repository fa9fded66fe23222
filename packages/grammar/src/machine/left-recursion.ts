// A rule that begins with itself, which a reader from left to right would follow for ever, is refused.
import { QuernError } from '@quern/errors';
import type { GrammarNode } from './program.ts';

/** @throws QuernError `grammar-left-recursion`: a call leads back to itself before any byte */
export function refuseLeftRecursion(
  nodes: readonly GrammarNode[],
  nullable: Uint8Array,
  nameOf: (entry: number) => string,
): void {
  const left = (id: number): readonly number[] => leftSuccessors(nodes[id]!, nullable);
  const component = components(nodes.length, left);
  for (const [id, node] of nodes.entries()) {
    if (!isCall(node) || component[node.entry] !== component[id]) continue;
    throw new QuernError(
      'grammar-left-recursion',
      `The rule ${nameOf(node.entry)} begins with itself; such a grammar has no first character.`,
      { remedy: 'Write the repetition to the right: a ::= b ("+" b)* instead of a ::= a "+" b | b.' },
    );
  }
}

/** Strongly connected components (Tarjan), without recursion: grammars may be deep. */
function components(count: number, next: (id: number) => readonly number[]): Int32Array {
  const order = new Int32Array(count).fill(-1);
  const lowest = new Int32Array(count);
  const component = new Int32Array(count).fill(-1);
  const open: number[] = [];
  const path: number[] = [];
  const rests: (readonly number[])[] = [];
  /** How many of the rests have been entered. */
  const done: number[] = [];
  let entered = 0;
  const enter = (id: number): void => {
    order[id] = lowest[id] = entered++;
    open.push(id);
    path.push(id);
    rests.push(next(id));
    done.push(0);
  };
  for (let root = 0; root < count; root++) {
    if (order[root] !== -1) continue;
    enter(root);
    while (path.length > 0) {
      const top = path.length - 1;
      const id = path[top]!;
      const successor = rests[top]![done[top]!++];
      if (successor !== undefined) {
        if (order[successor] === -1) enter(successor);
        else if (component[successor] === -1) lowest[id] = Math.min(lowest[id]!, order[successor]!);
        continue;
      }
      path.pop();
      rests.pop();
      done.pop();
      if (top > 0) lowest[path[top - 1]!] = Math.min(lowest[path[top - 1]!]!, lowest[id]!);
      if (lowest[id] === order[id]) for (let member = -1; member !== id; ) component[(member = open.pop()!)] = id;
    }
  }
  return component;
}

type Calling = Extract<GrammarNode, { kind: 'call' | 'repeat' | 'measured' }>;
const isCall = (node: GrammarNode): node is Calling =>
  node.kind === 'call' || node.kind === 'repeat' || node.kind === 'measured';
const none: readonly number[] = [];

/** Nodes that are entered from a node before any byte. */
function leftSuccessors(node: GrammarNode, nullable: Uint8Array): readonly number[] {
  if (node.kind === 'jump') return node.next;
  if (!isCall(node)) return none;
  const skipped = nullable[node.entry] === 1 || (node.kind === 'repeat' && node.min === 0);
  return skipped ? [node.entry, node.next] : [node.entry];
}
