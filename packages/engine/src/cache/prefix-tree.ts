// Finding the longest beginning of a text whose state is kept. There is one tree for each scope: texts that were computed with
// other adapters share nothing. (Model and cache types are those of the whole engine.)
import { CachedBlock, commonTokens, type Snapshot, tokensKey } from './cached-block.ts';

export interface PrefixMatch {
  /** Whole blocks, from the first on. */
  readonly chain: readonly CachedBlock[];
  /** A block that begins with the tokens behind them, to be copied. */
  readonly tail?: CachedBlock;
  /** The state of a slot there, where sequences have one. */
  readonly snapshot?: Snapshot;
  /** Tokens of all that. */
  readonly tokens: number;
}

export class PrefixTree {
  readonly #blockTokens: number;
  /** Whether blocks alone are not the state of a text: a snapshot is needed at its very end. */
  readonly #needsSnapshot: boolean;
  readonly #roots = new Map<string, CachedBlock>();

  constructor(blockTokens: number, needsSnapshot: boolean) {
    this.#blockTokens = blockTokens;
    this.#needsSnapshot = needsSnapshot;
  }

  root(scope: string): CachedBlock {
    let root = this.#roots.get(scope);
    if (!root) this.#roots.set(scope, (root = new CachedBlock(undefined, [])));
    return root;
  }

  /** Nothing is left under it: a scope that nobody uses takes no memory. */
  pruneRoots(): void {
    for (const [scope, { children, snapshots }] of this.#roots)
      if (children.size === 0 && snapshots.size === 0) this.#roots.delete(scope);
  }

  /** The most of the first `limit` tokens that is kept. */
  match(scope: string, tokens: readonly number[], limit: number): PrefixMatch {
    const root = this.#roots.get(scope);
    if (!root) return nothing;
    const size = this.#blockTokens;
    const chain: CachedBlock[] = [];
    let last = root;
    while ((chain.length + 1) * size <= limit) {
      const next = last.children.get(tokensKey(tokens, chain.length * size, (chain.length + 1) * size));
      if (!next) break;
      chain.push((last = next));
    }
    if (this.#needsSnapshot) return this.#matchSnapshot(root, chain, tokens, limit);
    const { child: tail, count } = longestChild(last, tokens, chain.length * size, limit);
    return { chain, ...(tail ? { tail } : {}), tokens: chain.length * size + count };
  }

  /** The furthest snapshot on the path; the positions up to it must be there too. */
  #matchSnapshot(root: CachedBlock, chain: CachedBlock[], tokens: readonly number[], limit: number): PrefixMatch {
    const size = this.#blockTokens;
    for (let depth = chain.length; depth >= 0; depth--) {
      const last = chain[depth - 1] ?? root;
      const { child: tail, count } = longestChild(last, tokens, depth * size, limit);
      let best: Snapshot | undefined;
      for (const snapshot of last.snapshots.values()) {
        const { behind } = snapshot;
        if (behind.length > count || (best && behind.length <= best.behind.length)) continue;
        if (behind.every((token, i) => token === tokens[depth * size + i])) best = snapshot;
      }
      if (!best) continue;
      const behind = best.behind.length;
      return {
        chain: chain.slice(0, depth),
        ...(behind > 0 ? { tail } : {}),
        snapshot: best,
        tokens: depth * size + behind,
      };
    }
    return nothing;
  }
}

const nothing: PrefixMatch = { chain: [], tokens: 0 };

/** The child of `block` that agrees longest with the tokens from `from` on. */
export function longestChild(block: CachedBlock, tokens: readonly number[], from: number, to: number) {
  let child: CachedBlock | undefined;
  let count = 0;
  for (const candidate of block.children.values()) {
    const common = commonTokens(candidate, tokens, from, to);
    if (common > count) [child, count] = [candidate, common];
  }
  return { child, count };
}
