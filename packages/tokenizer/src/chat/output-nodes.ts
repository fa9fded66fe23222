// Marks what a template prints. The parser leaves `{{ expression }}` as the bare expression, and evaluation then cannot
// tell printing from computing; here each printed expression gets a node around it, so that values print as in Python.

import type { Node } from './jinja.ts';

/** `{{ expression }}` */
export interface OutputNode extends Node {
  type: 'Output';
  expression: Node;
}

const statements = new Set([
  ...['Set', 'If', 'For', 'Macro', 'CallStatement', 'FilterStatement', 'Break', 'Continue', 'Comment'],
]);
const printedAsTheyAre = new Set(['StringLiteral', 'Output']);
const bodies = ['body', 'alternate', 'defaultBlock'];

/** Wraps the printed expressions of `node` and of all blocks in it. */
export function markOutput(node: Node): void {
  for (const name of bodies) {
    const body = node[name];
    if (!Array.isArray(body)) continue;
    node[name] = (body as Node[]).map((child): Node | OutputNode => {
      markOutput(child);
      const printed = !statements.has(child.type) && !printedAsTheyAre.has(child.type);
      return printed ? { type: 'Output', expression: child } : child;
    });
  }
}
