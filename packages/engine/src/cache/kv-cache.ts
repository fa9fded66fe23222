// Where sequences have their state: each gets the blocks and the slot it needs, beginning with whatever of its tokens is kept
// from earlier ones, and leaves behind what it computed.
import type { Sequence } from '../scheduling/sequence.ts';
import { BlockAllocator } from './block-allocator.ts';
import { BlockStore, type StoreSizes } from './block-store.ts';
import type { CachedBlock } from './cached-block.ts';
import type { StateMoves } from './state-moves.ts';

export interface CacheSizes extends StoreSizes {
  /** Sequences that can have a state of fixed size at a time. */
  readonly slots: number;
}

/** What a sequence left when it gave a slot back. */
export interface LastText {
  readonly scope: string;
  readonly tokens: readonly number[];
}

export class KvCache {
  readonly store: BlockStore;
  /** By slot. */
  readonly lastTexts: LastText[];
  readonly #blockTokens: number;
  readonly #usesSlots: boolean;
  readonly #slots: BlockAllocator;

  constructor(sizes: CacheSizes, moves: StateMoves) {
    this.store = new BlockStore(sizes, moves);
    this.#blockTokens = sizes.blockTokens;
    this.#usesSlots = sizes.slotBytes > 0;
    this.#slots = new BlockAllocator(sizes.slots);
    this.lastTexts = Array.from({ length: sizes.slots }, () => ({ scope: '', tokens: [] }));
  }

  remember(slot: number, text: LastText): void {
    this.lastTexts[slot] = text;
  }

  /** Gives a waiting sequence a slot and blocks for all its tokens and one more; false (and nothing given) without room. */
  admit(sequence: Sequence): boolean {
    const { store } = this;
    const slot = this.#slots.take(1)?.[0];
    if (slot === undefined) return false;
    const { scope, tokens, endTokens } = sequence;
    const { chain, tail, snapshot, tokens: cached } = store.tree.match(scope, tokens, tokens.length - 1);
    const here = chain.filter(({ block }) => block !== undefined);
    for (const block of here) store.hold(block);
    const own = store.take(this.#blocksFor(Math.min(tokens.length + 1, endTokens)) - here.length);
    if (!own) {
      for (const block of here.reverse()) store.letGo(block);
      this.#slots.giveBack([slot]);
      return false;
    }
    for (const block of chain.slice(here.length)) store.bring(block, own.shift()!);
    if (tail) this.#copyTail(tail, own[0]!);
    if (snapshot) {
      store.moves.loadSlot(snapshot.copy, slot);
      store.touch(snapshot);
    }
    sequence.chain = [...chain];
    sequence.blocks = [...chain.map(({ block }) => block!), ...own];
    sequence.slot = slot;
    sequence.computed = cached;
    sequence.markAdmitted(cached);
    return true;
  }

  /** Whether `other` is just computing what `sequence` could begin with. */
  isReading(other: Sequence, sequence: Sequence): boolean {
    if (other.pending <= 1 || other.scope !== sequence.scope) return false;
    const filled = Math.floor(other.computed / this.#blockTokens) * this.#blockTokens;
    const end = this.#usesSlots ? other.nextCheckpoint : filled + this.#blockTokens;
    if (end >= Math.min(other.tokens.length + 1, sequence.tokens.length)) return false;
    for (let i = end - 1; i >= 0; i--) if (other.tokens[i] !== sequence.tokens[i]) return false;
    return true;
  }

  /** Makes room for all tokens of a running sequence; false when there is none. */
  grow(sequence: Sequence): boolean {
    const more = this.#blocksFor(sequence.tokens.length) - sequence.blocks.length;
    if (more <= 0) return true;
    const blocks = this.store.take(more);
    if (blocks) sequence.blocks.push(...blocks);
    return blocks !== undefined;
  }

  /** Gives a sequence blocks for `tokens` more than it has, as far as there are some; returns for how many there are. */
  stretch(sequence: Sequence, tokens: number): number {
    const { blocks } = sequence;
    const more = this.#blocksFor(sequence.tokens.length + tokens) - blocks.length;
    blocks.push(...(this.store.take(Math.max(0, Math.min(more, this.store.available))) ?? []));
    return Math.min(tokens, blocks.length * this.#blockTokens - sequence.tokens.length);
  }

  /** Lets others find the blocks that a sequence has filled. */
  publish(sequence: Sequence): void {
    const { chain, blocks, tokens, computed } = sequence;
    for (let n = chain.length; (n + 1) * this.#blockTokens <= computed; n++) {
      const filled = tokens.slice(n * this.#blockTokens, (n + 1) * this.#blockTokens);
      const block = this.store.add(this.#last(sequence), filled, blocks[n]!);
      chain.push(block);
      blocks[n] = block.block!;
    }
  }

  /** Keeps the state of a running sequence's slot, so that another can go on from here. */
  checkpoint(sequence: Sequence): void {
    this.publish(sequence);
    if (!this.#usesSlots || sequence.computed === 0) return;
    this.store.addSnapshot(this.#last(sequence), this.#behind(sequence), sequence.slot!);
    this.store.trim();
  }

  /** Gives `branch`, which has the tokens of `sequence`, its state: whole blocks are shared, the rest is copied. */
  fork(sequence: Sequence, branch: Sequence): boolean {
    this.publish(sequence);
    const { chain, computed } = sequence;
    const slot = this.#slots.take(1)?.[0];
    if (slot === undefined) return false;
    const begun = computed > chain.length * this.#blockTokens;
    const own = this.store.take(begun ? 1 : 0);
    if (!own) {
      this.#slots.giveBack([slot]);
      return false;
    }
    for (const block of chain) this.store.hold(block);
    if (begun) this.store.moves.copyBlock(sequence.blocks[chain.length]!, own[0]!);
    if (this.#usesSlots) this.store.moves.copySlot(sequence.slot!, slot);
    branch.chain = [...chain];
    branch.blocks = [...chain.map(({ block }) => block!), ...own];
    branch.slot = slot;
    branch.computed = computed;
    branch.markAdmitted(Math.min(computed, branch.promptTokens));
    return true;
  }

  /** Takes slot and blocks back from a sequence that ends or must wait; what it computed stays, for whoever needs it. */
  release(sequence: Sequence): void {
    if (sequence.slot === undefined) return;
    this.checkpoint(sequence);
    this.remember(sequence.slot, { scope: sequence.scope, tokens: sequence.tokens.slice(0, sequence.computed) });
    const { chain, blocks } = sequence;
    const behind = this.#behind(sequence);
    const own = blocks.slice(chain.length);
    if (behind.length > 0) this.store.addTail(this.#last(sequence), behind, own.shift()!);
    this.#empty(sequence, own);
  }

  /** The same for a sequence that nobody will go on from: only blocks that others may find already stay. */
  drop(sequence: Sequence): void {
    if (sequence.slot === undefined) return;
    this.#empty(sequence, sequence.blocks.slice(sequence.chain.length));
  }

  /** The same for a sequence whose state is not to be used again. */
  discard(sequence: Sequence): void {
    if (sequence.slot === undefined) return;
    this.store.forgetAlong(sequence.scope, sequence.tokens);
    this.drop(sequence);
  }

  #empty(sequence: Sequence, own: readonly number[]): void {
    this.store.giveBack(own);
    for (const block of sequence.chain.reverse()) this.store.letGo(block);
    this.#slots.giveBack([sequence.slot!]);
    sequence.chain = [];
    sequence.blocks = [];
    sequence.slot = undefined;
    sequence.computed = 0;
    this.store.trim();
  }

  #copyTail(tail: CachedBlock, place: number): void {
    if (tail.block === undefined) this.store.moves.loadBlock(tail.host!, place);
    else this.store.moves.copyBlock(tail.block, place);
    this.store.touch(tail);
  }

  #last({ chain, scope }: Sequence): CachedBlock {
    return chain.at(-1) ?? this.store.tree.root(scope);
  }

  /** Computed tokens behind the last whole block. */
  #behind({ tokens, chain, computed }: Sequence): number[] {
    return tokens.slice(chain.length * this.#blockTokens, computed);
  }

  #blocksFor(tokens: number): number {
    return Math.ceil(tokens / this.#blockTokens);
  }
}
