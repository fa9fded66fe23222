// The blocks of the device and what is kept in them. A block is free, a sequence's own (being written), or belongs to the tree
// (prefix-tree.ts), where sequences hold it or nobody does. A kept block that nobody holds gives its place on the device
// away when one is wanted, and lives on as bytes on the host. Everything that nobody holds, blocks wherever they lie and
// snapshots of slots, counts against one budget of bytes; the least recently used goes first.
//
// Whoever holds a block holds all before it, and lets go of the last one first: so of everything kept, what follows in a text
// is older than what comes before it, and goes first. No block is ever kept without the blocks before it.
import type { EngineStats } from '../stats.ts';
import { BlockAllocator } from './block-allocator.ts';
import { CachedBlock, type Snapshot, tokensKey } from './cached-block.ts';
import { Kept } from './kept.ts';
import { longestChild, PrefixTree } from './prefix-tree.ts';
import type { HostCopy, StateMoves } from './state-moves.ts';

export interface StoreSizes {
  readonly blocks: number;
  readonly blockTokens: number;
  /** Of the state of a block, and of a slot; 0: sequences have nothing in slots. */
  readonly blockBytes: number;
  readonly slotBytes: number;
  /** For everything that is kept and not in use. */
  readonly budgetBytes: number;
}

/** What a kept block takes beside its state, roughly: objects, keys, tokens. */
const bookkeepingBytes = (tokens: number): number => 400 + 16 * tokens;

export class BlockStore {
  readonly tree: PrefixTree;
  readonly moves: StateMoves;
  readonly #sizes: StoreSizes;
  readonly #free: BlockAllocator;
  /** What nobody holds. */
  readonly #kept = new Kept<CachedBlock | Snapshot>();
  /** Of these the blocks that lie on the device, least recently used first. */
  readonly #idle = new Set<CachedBlock>();
  #peak = 0;

  constructor(sizes: StoreSizes, moves: StateMoves) {
    this.#sizes = sizes;
    this.moves = moves;
    this.tree = new PrefixTree(sizes.blockTokens, sizes.slotBytes > 0);
    this.#free = new BlockAllocator(sizes.blocks);
  }

  get blockTokens(): number {
    return this.#sizes.blockTokens;
  }

  /** Blocks that nobody holds. */
  get available(): number {
    return this.#free.free + this.#idle.size;
  }

  get stats(): Pick<EngineStats, 'blocks' | 'kept'> {
    let [hostBlocks, snapshots] = [0, 0];
    for (const item of this.#kept.items())
      if (!(item instanceof CachedBlock)) snapshots++;
      else if (item.block === undefined) hostBlocks++;
    const { blocks: total, blockTokens, budgetBytes } = this.#sizes;
    return {
      blocks: { total, blockTokens, used: total - this.available, peakUsed: this.#peak },
      kept: { bytes: this.#kept.bytes, budgetBytes, deviceBlocks: this.#idle.size, hostBlocks, snapshots },
    };
  }

  /** `count` blocks to write, or undefined (and none taken) when fewer are available. */
  take(count: number): number[] | undefined {
    if (count > this.available) return undefined;
    while (this.#free.free < count) this.#moveToHost(this.#idle.values().next().value!);
    const taken = this.#free.take(count);
    this.#peak = Math.max(this.#peak, this.#sizes.blocks - this.available);
    return taken;
  }

  giveBack(blocks: readonly number[]): void {
    this.#free.giveBack(blocks);
  }

  /** One more sequence uses a block that lies on the device. */
  hold(block: CachedBlock): void {
    if (block.holders++ > 0) return;
    this.#idle.delete(block);
    this.#kept.remove(block);
    this.#peak = Math.max(this.#peak, this.#sizes.blocks - this.available);
  }

  /** Brings a block back from the host to `place`, and holds it. */
  bring(block: CachedBlock, place: number): void {
    this.moves.loadBlock(block.host!, place);
    this.#lie(block, place);
    this.hold(block);
  }

  letGo(block: CachedBlock): void {
    if (--block.holders > 0) return;
    if (block.detached) this.#free.giveBack([block.block!]);
    else this.#keepBlock(block);
  }

  /** Puts the contents of `place`, a whole block that follows `parent`, into the tree, and holds it for its sequence. */
  add(parent: CachedBlock, tokens: readonly number[], place: number): CachedBlock {
    const known = parent.detached ? undefined : parent.children.get(tokensKey(tokens));
    if (known) {
      // Computed twice, at the same time: one of them is enough.
      if (known.block === undefined) this.#lie(known, place);
      else this.#free.giveBack([place]);
      this.hold(known);
      return known;
    }
    this.#forgetBeginnings(parent, tokens);
    const block = new CachedBlock(parent, tokens);
    block.block = place;
    block.holders = 1;
    if (!parent.detached) parent.children.set(tokensKey(tokens), block);
    return block;
  }

  /** Keeps what a sequence has written of its last block. */
  addTail(parent: CachedBlock, tokens: readonly number[], place: number): void {
    const known = longestChild(parent, tokens, 0, tokens.length);
    if (parent.detached || known.count === tokens.length) {
      this.#free.giveBack([place]);
      return;
    }
    const block = this.add(parent, tokens, place);
    this.letGo(block);
  }

  /** Keeps the state of `slot` as that after `behind` tokens behind a block. */
  addSnapshot(after: CachedBlock, behind: readonly number[], slot: number): void {
    const key = tokensKey(behind);
    if (after.detached || after.snapshots.has(key) || this.#sizes.slotBytes > this.#sizes.budgetBytes) return;
    const copy: HostCopy = {};
    this.moves.saveSlot(slot, copy);
    this.keepSnapshot({ after, behind, copy });
  }

  keepSnapshot(snapshot: Snapshot): void {
    snapshot.after.snapshots.set(tokensKey(snapshot.behind), snapshot);
    this.#kept.add(snapshot, this.#sizes.slotBytes + bookkeepingBytes(snapshot.behind.length));
  }

  /** A block that lies on the host alone, as read from a file. */
  addFromHost(parent: CachedBlock, tokens: readonly number[], copy: HostCopy): CachedBlock {
    const known = parent.children.get(tokensKey(tokens));
    if (known) return known;
    this.#forgetBeginnings(parent, tokens);
    const block = new CachedBlock(parent, tokens);
    block.host = copy;
    parent.children.set(tokensKey(tokens), block);
    this.#kept.add(block, this.#bytesOf(block));
    return block;
  }

  touch(item: CachedBlock | Snapshot): void {
    this.#kept.touch(item);
    if (item instanceof CachedBlock && this.#idle.delete(item)) this.#idle.add(item);
  }

  /** Brings what is kept down to the budget. */
  trim(): void {
    while (this.#kept.bytes > this.#sizes.budgetBytes) this.forget(this.#kept.oldest()!);
    this.tree.pruneRoots();
  }

  /** Nobody will find it any more, nor what follows it. Sequences that hold it go on. */
  forget(item: CachedBlock | Snapshot): void {
    if (!(item instanceof CachedBlock)) {
      item.after.snapshots.delete(tokensKey(item.behind));
      this.#kept.remove(item);
      return;
    }
    for (const below of [...item.children.values(), ...item.snapshots.values()]) this.forget(below);
    item.parent?.children.delete(tokensKey(item.tokens));
    item.detached = true;
    this.#kept.remove(item);
    item.host = undefined;
    if (this.#idle.delete(item)) this.#free.giveBack([item.block!]);
  }

  /** All that a text of these tokens could begin with. */
  forgetAlong(scope: string, tokens: readonly number[]): void {
    const { children, snapshots } = this.tree.root(scope);
    for (const child of [...children.values()]) if (child.tokens[0] === tokens[0]) this.forget(child);
    for (const snapshot of [...snapshots.values()]) if (snapshot.behind[0] === tokens[0]) this.forget(snapshot);
    this.tree.pruneRoots();
  }

  /** Everything that is kept. */
  clear(): void {
    for (let item = this.#kept.oldest(); item; item = this.#kept.oldest()) this.forget(item);
    this.tree.pruneRoots();
  }

  /** Blocks of the device in which nothing is kept. */
  get freeBlocks(): number {
    return this.#free.free;
  }

  #keepBlock(block: CachedBlock): void {
    this.#kept.add(block, this.#bytesOf(block));
    this.#idle.add(block);
  }

  #bytesOf({ tokens }: CachedBlock): number {
    return this.#sizes.blockBytes + bookkeepingBytes(tokens.length);
  }

  #moveToHost(block: CachedBlock): void {
    block.host = {};
    this.moves.saveBlock(block.block!, block.host);
    this.#idle.delete(block);
    this.#free.giveBack([block.block!]);
    block.block = undefined;
  }

  #lie(block: CachedBlock, place: number): void {
    block.block = place;
    block.host = undefined;
    if (block.holders === 0) this.#idle.add(block);
  }

  /** Ends of sequences that `tokens` go on from say nothing that the new block does not. */
  #forgetBeginnings(parent: CachedBlock, tokens: readonly number[]): void {
    for (const child of [...parent.children.values()]) {
      const isBeginning = child.tokens.length < tokens.length && child.tokens.every((token, i) => token === tokens[i]);
      if (isBeginning && child.holders === 0) this.forget(child);
    }
  }
}
