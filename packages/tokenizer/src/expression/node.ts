// The tree of a regular expression.

import { type CharacterSet, canonicalSet } from './character-set.ts';

export type Node =
  | { readonly kind: 'set'; readonly set: CharacterSet }
  | { readonly kind: 'sequence' | 'choice'; readonly of: readonly Node[] }
  | {
      readonly kind: 'repeat';
      readonly of: Node;
      readonly min: number;
      readonly max: number;
      readonly mode: RepeatMode;
    }
  | { readonly kind: 'look'; readonly of: Node; readonly behind: boolean; readonly negated: boolean }
  | { readonly kind: 'atomic'; readonly of: Node }
  | { readonly kind: 'place'; readonly at: Place };

export type RepeatMode = 'greedy' | 'lazy' | 'possessive';
export type Place = 'text start' | 'text end' | 'line start' | 'line end' | 'word edge' | 'inside or outside a word';

/** One text for all ways to write an expression that differ in escapes, groups and letter case flags only. */
export function canonical(node: Node): string {
  switch (node.kind) {
    case 'set':
      return canonicalSet(node.set);
    case 'sequence':
      return node.of.map((part) => (part.kind === 'choice' ? `(?:${canonical(part)})` : canonical(part))).join('');
    case 'choice':
      return node.of.map(canonical).join('|');
    case 'repeat': {
      const inner = node.of.kind === 'set' ? canonical(node.of) : `(?:${canonical(node.of)})`;
      return node.min === 1 && node.max === 1 ? inner : `${inner}{${node.min},${node.max}}${node.mode}`;
    }
    case 'look':
      return `(?${node.behind ? '<' : ''}${node.negated ? '!' : '='}${canonical(node.of)})`;
    case 'atomic':
      return `(?>${canonical(node.of)})`;
    case 'place':
      return `<${node.at}>`;
  }
}

/** Whether it can match without taking a character. */
export function canBeEmpty(node: Node): boolean {
  switch (node.kind) {
    case 'set':
      return false;
    case 'sequence':
      return node.of.every(canBeEmpty);
    case 'choice':
      return node.of.some(canBeEmpty);
    case 'repeat':
      return node.min === 0 || canBeEmpty(node.of);
    case 'atomic':
      return canBeEmpty(node.of);
    default:
      return true;
  }
}
