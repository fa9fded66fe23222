// A random program of requests, branches and cancellations on scheduler and cache, checked after every step.

import type { CachedBlock } from '../cache/cached-block.ts';
import { type CacheSizes, KvCache } from '../cache/kv-cache.ts';
import { StateMoves } from '../cache/state-moves.ts';
import { Random } from '../sampling/random.ts';
import { Pace } from '../scheduling/pace.ts';
import { Scheduler } from '../scheduling/scheduler.ts';
import { Sequence } from '../scheduling/sequence.ts';
import { HashMemory, hashOf } from './hash-memory.ts';

export interface ProgramOptions {
  readonly seed: number;
  readonly steps: number;
  readonly blocks: number;
  readonly usesSlots: boolean;
  readonly budgetBytes: number;
  readonly contextTokens: number;
}

const limits = { batchTokens: 16, maxSequences: 4, maxOutputs: 4 };
const blockTokens = 4;
const vocabSize = 3;

/** Gives what happened, for a test to see that the program did something. @throws Error at the first broken rule */
export async function runProgram({ seed, steps, blocks, usesSlots, budgetBytes, contextTokens }: ProgramOptions) {
  const random = Random.seeded(seed);
  const below = (n: number): number => Math.floor(random.nextFloat() * n);
  const memory = new HashMemory({ blocks, blockTokens, slots: 4, usesSlots });
  const sizes: CacheSizes = {
    ...{ blocks, blockTokens, slots: 4, budgetBytes },
    blockBytes: memory.snapshotBytes(1, false),
    slotBytes: memory.snapshotBytes(0, true),
  };
  const moves = new StateMoves(memory);
  const cache = new KvCache(sizes, moves);
  const pace = new Pace(limits.batchTokens);
  const scheduler = new Scheduler(cache, limits, pace);
  const told = { finished: 0, cancelled: 0, forked: 0, cachedTokens: 0, preempted: 0, mostHost: 0 };

  const make = (prompt: readonly number[], maxTokens: number): Sequence =>
    new Sequence(
      Int32Array.from(prompt),
      { maxTokens, sampling: { seed: 0 }, messageEnds: [below(prompt.length + 1)], priority: below(3) },
      { vocabSize, contextTokens, usesSlots },
      () => {},
    );
  const texts = Array.from({ length: 6 }, () => Array.from({ length: contextTokens }, () => below(vocabSize)));
  const submit = (): void => {
    const shared = texts[below(texts.length)]!.slice(0, 1 + below(contextTokens - 2));
    const own = Array.from({ length: below(6) }, () => below(vocabSize));
    const prompt = [...shared, ...own].slice(0, contextTokens - 1);
    scheduler.enqueue(make(prompt, 1 + below(contextTokens - prompt.length)));
  };
  const fork = (sequence: Sequence): void => {
    if (sequence.endTokens <= sequence.tokens.length) return;
    const branch = make(sequence.tokens, sequence.endTokens - sequence.tokens.length);
    scheduler.fork(sequence, branch);
    told.forked++;
  };

  for (let step = 0; step < steps; step++) {
    const all = [...scheduler.running, ...scheduler.waiting];
    if (all.length < 10 && below(3) === 0) submit();
    if (all.length > 0 && below(12) === 0) {
      const end = below(40) === 0 ? 'discard' : below(4) === 0 ? 'drop' : 'release';
      scheduler.remove(all[below(all.length)]!, end);
      told.cancelled++;
    }
    const { running } = scheduler;
    if (all.length < 12 && running.length > 0 && below(8) === 0) fork(running[below(running.length)]!);
    const shares = scheduler.plan();
    const decoding = shares.filter(({ sequence }) => sequence.pending === 1).length;
    const tokens = shares.reduce((sum, { count }) => sum + count, 0);
    const batch = shares.map(({ sequence: { tokens, blocks, slot, computed: first }, count }) => ({
      ...{ tokens: [...tokens], blocks: [...blocks], slot: slot!, first, end: first + count },
    }));
    for (const { sequence, count } of shares) sequence.computed += count;
    const moved = moves.run();
    if (shares.length > 0 && below(30) === 0) scheduler.remove(shares[0]!.sequence); // while the device computes
    await moved;
    for (const part of batch) memory.compute(part);
    for (const { sequence } of shares) {
      if (sequence.slot === undefined) continue;
      if (sequence.pending > 0) continue;
      sequence.tokens.push(Math.abs(hashOf(sequence.tokens)) % vocabSize);
      sequence.markToken();
      if (sequence.tokens.length < sequence.endTokens) continue;
      scheduler.remove(sequence);
      told.finished++;
      told.cachedTokens += sequence.finishEvent('length').cachedTokens;
    }
    for (const { sequence } of shares) if (sequence.isAtCheckpoint) cache.checkpoint(sequence);
    if (tokens > 0) pace.learn(decoding, tokens - decoding, 1 + below(20));
    check(cache, scheduler, sizes);
    told.mostHost = Math.max(told.mostHost, cache.store.stats.kept.hostBlocks);
  }
  told.preempted = scheduler.preemptions;
  for (const sequence of [...scheduler.running, ...scheduler.waiting]) scheduler.remove(sequence);
  check(cache, scheduler, sizes);
  if (cache.store.available !== blocks) throw new Error(`${blocks - cache.store.available} blocks are lost`);
  cache.store.clear();
  if (cache.store.freeBlocks !== blocks || cache.store.stats.kept.bytes !== 0)
    throw new Error('something is still kept');
  return told;
}

/** No block is lost, none has two owners, holders are counted, and what is kept stays within its budget. */
function check({ store }: KvCache, { running, waiting }: Scheduler, { blocks, budgetBytes }: CacheSizes): void {
  const owners = new Map<number, unknown>();
  const own = (block: number, owner: unknown): void => {
    if (owners.has(block) && owners.get(block) !== owner) throw new Error(`block ${block} has two owners`);
    owners.set(block, owner);
  };
  const holders = new Map<CachedBlock, number>();
  for (const sequence of running) {
    const { chain, blocks: mine } = sequence;
    for (const [i, block] of chain.entries()) {
      if (block.block !== mine[i]) throw new Error('a chain and its blocks differ');
      holders.set(block, (holders.get(block) ?? 0) + 1);
      own(block.block, block);
    }
    for (const block of mine.slice(chain.length)) own(block, sequence);
  }
  const walk = (block: CachedBlock): void => {
    for (const child of block.children.values()) {
      if (child.parent !== block) throw new Error('a child does not know its parent');
      if ((holders.get(child) ?? 0) !== child.holders) throw new Error(`${child.holders} holders are counted wrongly`);
      if (child.block !== undefined) {
        own(child.block, child);
        if (block.parent && block.block === undefined)
          throw new Error('a block lies on the device without the one before');
      } else if (!child.host) throw new Error('a block lies nowhere');
      walk(child);
    }
  };
  walk(store.tree.root(''));
  if (owners.size + store.freeBlocks !== blocks)
    throw new Error(`${owners.size} blocks in use and ${store.freeBlocks} free ones are not ${blocks}`);
  for (const sequence of waiting)
    if (sequence.blocks.length > 0 || sequence.slot !== undefined) throw new Error('a waiting sequence owns something');
  const { bytes } = store.stats.kept;
  if (bytes > budgetBytes) throw new Error(`${bytes} bytes are kept, ${budgetBytes} are allowed`);
}
