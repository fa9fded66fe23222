import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Heap } from './heap.ts';

describe('Heap', () => {
  it('never hands out memory twice, always zeroed, and joins what comes back', () => {
    const step = fc.record({ bytes: fc.integer({ min: 1, max: 3000 }), free: fc.option(fc.nat()) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const memory = new WebAssembly.Memory({ initial: 1, maximum: 16, shared: true });
        const heap = new Heap(memory, 1000);
        const live: { address: number; bytes: number }[] = [];
        for (const { bytes, free } of steps) {
          if (free !== null && live.length) {
            const [gone] = live.splice(free % live.length, 1);
            heap.release(gone!.address, gone!.bytes);
          }
          const address = heap.allocate(bytes)!;
          const view = new Uint8Array(memory.buffer, address, bytes);
          expect(address % 64).toBe(0);
          expect(view.every((byte) => byte === 0)).toBe(true); // so it is nobody else's: theirs are 1
          view.fill(1);
          live.push({ address, bytes });
        }
        const end = Math.max(0, ...live.map(({ address, bytes }) => address + Math.ceil(bytes / 64) * 64));
        for (const { address, bytes } of live) heap.release(address, bytes);
        if (end > 1024) expect(heap.allocate(end - 1024)).toBe(1024);
      }),
    );
  });

  it('says no when the memory is at its end, and can still give less', () => {
    const heap = new Heap(new WebAssembly.Memory({ initial: 1, maximum: 2, shared: true }), 0);
    expect(heap.allocate(3 * 65536)).toBeUndefined();
    expect(heap.allocate(2 * 65536)).toBe(0);
    expect(heap.allocate(1)).toBeUndefined();
  });
});
