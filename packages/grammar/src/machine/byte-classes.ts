// Bytes that no edge of a program tells apart are one class, so that a row of transitions is short.
import { byteAt, type GrammarNode } from './program.ts';

export interface ByteClasses {
  readonly count: number;
  /** Class of each byte. */
  readonly of: Uint8Array;
  /** A byte of each class. */
  readonly representatives: readonly number[];
}

export function byteClasses(nodes: readonly GrammarNode[]): ByteClasses {
  const isFirst = new Uint8Array(257);
  isFirst[0] = 1;
  const tellApart = (low: number, high: number): void => {
    isFirst[low] = 1;
    isFirst[high + 1] = 1;
  };
  for (const [id, node] of nodes.entries()) {
    if (node.kind === 'bytes') for (const [low, high] of node.edges) tellApart(low, high);
    else if (node.kind === 'text') tellApart(byteAt(node, id), byteAt(node, id));
  }
  const of = new Uint8Array(256);
  const representatives: number[] = [];
  for (let byte = 0; byte < 256; byte++) {
    if (isFirst[byte] === 1) representatives.push(byte);
    of[byte] = representatives.length - 1;
  }
  return { count: representatives.length, of, representatives };
}
