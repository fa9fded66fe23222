// The scheduler's own time: planning a step and building its batch, without a device.
import { batchOf } from '../../packages/engine/src/batch.ts';
import { KvCache } from '../../packages/engine/src/cache/kv-cache.ts';
import { StateMoves } from '../../packages/engine/src/cache/state-moves.ts';
import { Pace } from '../../packages/engine/src/scheduling/pace.ts';
import { Scheduler } from '../../packages/engine/src/scheduling/scheduler.ts';
import { Sequence } from '../../packages/engine/src/scheduling/sequence.ts';
import { HashMemory } from '../../packages/engine/src/testing/hash-memory.ts';

const contextTokens = 4096;
const blockTokens = 32;

/** Median per step, with contexts of about 2,000 tokens. */
export function schedulerMicroseconds(sequences: number): number {
  const blocks = (sequences * contextTokens) / blockTokens;
  const slots = sequences;
  const memory = new HashMemory({ blocks, blockTokens, slots, usesSlots: false });
  const sizes = { blocks, blockTokens, slots, blockBytes: 1, slotBytes: 0, budgetBytes: 1e6 };
  const cache = new KvCache(sizes, new StateMoves(memory));
  const pace = new Pace(128);
  const scheduler = new Scheduler(cache, { batchTokens: 128, maxSequences: sequences, maxOutputs: sequences }, pace);
  const model = { tableWidth: contextTokens / blockTokens, adapters: 0 };
  const limits = { vocabSize: 1e6, contextTokens, usesSlots: false };
  for (let s = 0; s < sequences; s++) {
    const prompt = Int32Array.from({ length: 1500 }, (_, i) => 5000 * s + i);
    scheduler.enqueue(new Sequence(prompt, { maxTokens: 2000, sampling: { seed: 0 } }, limits, () => {}));
  }
  const times: number[] = [];
  for (let step = 0; times.length < 1000; step++) {
    const start = performance.now();
    const shares = scheduler.plan();
    batchOf(shares, model);
    const us = 1000 * (performance.now() - start);
    let decoding = 0;
    let tokens = 0;
    for (const { sequence, count } of shares) {
      if (sequence.pending === 1) decoding++;
      tokens += count;
      sequence.computed += count;
      if (sequence.pending === 0) sequence.tokens.push(step % 1000);
    }
    pace.learn(decoding, tokens - decoding, 10);
    if (decoding === sequences) times.push(us);
    if (times.length === 0 && step > 1e5) throw new Error('the sequences never decode');
  }
  return times.sort((a, b) => a - b)[times.length >> 1]!;
}
