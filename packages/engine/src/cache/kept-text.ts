// What is kept of one text, taken out of the cache as bytes and put back.
import type { SequenceState } from '@quern/models';
import type { BlockStore } from './block-store.ts';
import { type CachedBlock, commonTokens, tokensKey } from './cached-block.ts';
import { longestChild } from './prefix-tree.ts';

export interface KeptText {
  /** Of the sequence that it was computed for. */
  readonly scope: string;
  readonly tokens: readonly number[];
  /** State of each block of the tokens; the last one may hold more than is told of it. */
  readonly blocks: readonly Uint8Array[];
  /** States of a fixed size after so many tokens. */
  readonly snapshots: readonly { readonly position: number; readonly bytes: Uint8Array }[];
}

/** Must not overlap with passes or planning; moves have been run. */
export async function takeText(
  store: BlockStore,
  state: SequenceState,
  scope: string,
  tokens: readonly number[],
): Promise<KeptText> {
  const size = store.blockTokens;
  const path = pathOf(store, scope, tokens);
  const blocks: Uint8Array[] = [];
  for (const { block, host } of path)
    blocks.push(block === undefined ? host!.bytes! : await state.snapshot({ blocks: [block] }));
  const last = path.at(-1);
  const count = last
    ? (path.length - 1) * size + commonTokens(last, tokens, (path.length - 1) * size, tokens.length)
    : 0;
  const snapshots: { position: number; bytes: Uint8Array }[] = [];
  for (const [depth, after] of [store.tree.root(scope), ...path].entries())
    for (const { behind, copy } of after.snapshots.values()) {
      const position = depth * size + behind.length;
      if (position <= count && behind.every((token, i) => token === tokens[depth * size + i]))
        snapshots.push({ position, bytes: copy.bytes! });
    }
  return { scope, tokens: tokens.slice(0, count), blocks, snapshots };
}

/** Returns how many of its tokens are kept then: fewer than all where the budget is too small. */
export function putText(store: BlockStore, { scope, tokens, blocks, snapshots }: KeptText): number {
  const size = store.blockTokens;
  const path: CachedBlock[] = [store.tree.root(scope)];
  for (const [n, bytes] of blocks.entries()) {
    const part = tokens.slice(n * size, (n + 1) * size);
    const parent = path.at(-1)!;
    const known = longestChild(parent, part, 0, part.length);
    path.push(known.count === part.length ? known.child! : store.addFromHost(parent, part, { bytes }));
  }
  for (const { position, bytes } of snapshots) {
    const depth = Math.floor(position / size);
    const behind = tokens.slice(depth * size, position);
    const after = path[depth]!;
    if (!after.snapshots.has(tokensKey(behind))) store.keepSnapshot({ after, behind, copy: { bytes } });
  }
  for (const block of path.slice(1).reverse()) store.touch(block);
  store.trim();
  return store.tree.match(scope, tokens, tokens.length).tokens;
}

/** Forgets what is kept for this text alone; returns how many tokens that were. */
export function dropText(store: BlockStore, scope: string, tokens: readonly number[]): number {
  let dropped = 0;
  const path = pathOf(store, scope, tokens);
  for (const [n, block] of [...path.entries()].reverse()) {
    // The last one may belong to another text that begins alike.
    if (commonTokens(block, tokens, n * store.blockTokens, tokens.length) < block.tokens.length) continue;
    if (block.children.size > 0 || block.holders > 0) break;
    dropped += block.tokens.length;
    store.forget(block);
  }
  return dropped;
}

/** Whole blocks, then the one that agrees longest with what is behind them. */
function pathOf(store: BlockStore, scope: string, tokens: readonly number[]): CachedBlock[] {
  const path: CachedBlock[] = [];
  let last = store.tree.root(scope);
  for (let from = 0; from < tokens.length; from += store.blockTokens) {
    const { child, count } = longestChild(last, tokens, from, tokens.length);
    if (child) path.push((last = child));
    if (count < store.blockTokens) break;
  }
  return path;
}
