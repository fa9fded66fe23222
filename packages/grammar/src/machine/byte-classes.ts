// Bytes that no edge of a program tells apart are one class, so that a row of transitions is short.
import type { GrammarNode } from './program.ts';

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
  for (const node of nodes) {
    if (node.kind !== 'bytes') continue;
    for (const [low, high] of node.edges) {
      isFirst[low] = 1;
      isFirst[high + 1] = 1;
    }
  }
  const of = new Uint8Array(256);
  const representatives: number[] = [];
  for (let byte = 0; byte < 256; byte++) {
    if (isFirst[byte] === 1) representatives.push(byte);
    of[byte] = representatives.length - 1;
  }
  return { count: representatives.length, of, representatives };
}
