import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BlockAllocator } from './block-allocator.ts';

it('never gives a block twice, and takes all or nothing', () => {
  const commands = fc.array(fc.oneof(fc.record({ take: fc.nat({ max: 6 }) }), fc.record({ release: fc.nat() })));
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), commands, (total, steps) => {
      const allocator = new BlockAllocator(total);
      const held: number[][] = [];
      for (const step of steps) {
        if ('take' in step) {
          const before = allocator.free;
          const blocks = allocator.take(step.take);
          expect(blocks === undefined).toBe(step.take > before);
          if (blocks) held.push(blocks);
        } else if (held.length > 0) allocator.giveBack(held.splice(step.release % held.length, 1)[0]);
        const inUse = held.flat();
        expect(new Set(inUse).size).toBe(inUse.length);
        expect(inUse.every((block) => block >= 0 && block < total)).toBe(true);
        expect(allocator.free).toBe(total - inUse.length);
      }
    }),
  );
});
