// Marks in a template's syntax tree what evaluation must see. The parser leaves `{{ expression }}` as the bare expression,
// and evaluation then cannot tell printing from computing: each printed expression gets a node around it, so that values
// print as in Python. And an empty loop body evaluates nothing: each round of a loop gets a node, so that it is counted.

import type { Node } from './jinja.ts';

/** `{{ expression }}` */
export interface OutputNode extends Node {
  type: 'Output';
  expression: Node;
}

const statements = new Set([
  ...['Set', 'If', 'For', 'Macro', 'CallStatement', 'FilterStatement', 'Break', 'Continue', 'Comment'],
]);
const printedAsTheyAre = new Set(['StringLiteral']);
const bodies = ['body', 'alternate', 'defaultBlock'];

/** One round of a loop. */
const round: Node = { type: 'Round' };

/** Marks the printed expressions and the loops of `node` and of all blocks in it. */
export function markTree(node: Node): void {
  for (const name of bodies) {
    const body = node[name];
    if (!Array.isArray(body)) continue;
    node[name] = (body as Node[]).map((child): Node | OutputNode => {
      markTree(child);
      const printed = !statements.has(child.type) && !printedAsTheyAre.has(child.type);
      return printed ? { type: 'Output', expression: child } : child;
    });
  }
  if (node.type === 'For') node.body = [round, ...(node.body as Node[])];
}
