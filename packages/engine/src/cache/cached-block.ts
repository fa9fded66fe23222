// What the cache knows by content: the keys and values of a run of tokens behind all the tokens before them. Blocks form a tree;
// the path from its root is the whole text that a block's contents follow from, so equal paths mean equal contents, without
// a hash that could collide. A block of the tree is never written again: who goes on within it takes a copy.
import type { HostCopy } from './state-moves.ts';

/** The state of a slot after the tokens of a path and `behind`, on the host. */
export interface Snapshot {
  readonly after: CachedBlock;
  /** Tokens behind the last one of `after`; fewer than a block. */
  readonly behind: readonly number[];
  readonly copy: HostCopy;
}

export class CachedBlock {
  /** Undefined: the root, which holds nothing. */
  readonly parent: CachedBlock | undefined;
  /** A whole block of them, or fewer where a sequence ended. */
  readonly tokens: readonly number[];
  readonly children = new Map<string, CachedBlock>();
  readonly snapshots = new Map<string, Snapshot>();
  /** Where it lies on the device; undefined: on the host alone. */
  block: number | undefined;
  host: HostCopy | undefined;
  /** Sequences that use it where it lies. Whoever uses a block uses all before it. */
  holders = 0;
  /** Taken out of the tree, because what it holds is not to be used again; it goes when the last holder does. */
  detached: boolean;

  constructor(parent: CachedBlock | undefined, tokens: readonly number[]) {
    this.parent = parent;
    this.tokens = tokens;
    this.detached = parent?.detached ?? false;
  }
}

/** Tokens as a key of a map: exact, and cheap to make. */
export function tokensKey(tokens: readonly number[], from = 0, to = tokens.length): string {
  const units: number[] = [];
  for (let i = from; i < to; i++) units.push(tokens[i] & 0xffff, tokens[i] >>> 16);
  return String.fromCharCode(...units);
}

/** How many tokens of `block` are those of `tokens` from `from` on, up to `to`. */
export function commonTokens(block: CachedBlock, tokens: readonly number[], from: number, to: number): number {
  const most = Math.min(block.tokens.length, to - from);
  let count = 0;
  while (count < most && block.tokens[count] === tokens[from + count]) count++;
  return count;
}
