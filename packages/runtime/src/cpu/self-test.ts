// Run once when a device starts: proves that this engine compiles the kernels correctly (Node 20's baseline compiler has
// miscompiled vector code before), and runs them often enough that its optimising compiler takes over.
import { QuernError } from '@quern/errors';
import type { CrewMember } from './crew.ts';
import type { Heap } from './heap.ts';

const TOKENS = 5; // a tile of 4 and a single one
const COLS = 256;
const ROWS = 13; // a panel of 8, and both kinds of rest
const ROUNDS = 40;

export function selfTest(leader: CrewMember, heap: Heap): void {
  const floats = [TOKENS * COLS, ROWS * COLS, TOKENS * ROWS];
  const [x, w, y] = floats.map((count) => heap.allocate(count * 4)!) as [number, number, number];
  const view = (address: number, count: number) => new Float32Array(heap.memory.buffer, address, count);
  const xs = view(x, TOKENS * COLS).map((_, i, all) => (all[i] = ((i * 7) % 11) - 5));
  const ws = view(w, ROWS * COLS).map((_, i, all) => (all[i] = ((i * 5) % 13) - 6));
  const words = [x, 4 * COLS, y, TOKENS, ROWS, w, 0, COLS, 0, 1, 4, 0]; // F32: type 0, one number of 4 bytes per block
  for (let round = 0; round < ROUNDS; round++) {
    leader.run({ kernel: 'matmul', words, items: Math.ceil(ROWS / 8), itemsPerChunk: 4 });
    if (round > 0 && round < ROUNDS - 1) continue;
    // Small integers: every order of summation gives the same exact result.
    const right = view(y, TOKENS * ROWS).every((value, i) => {
      const [t, r] = [Math.floor(i / ROWS), i % ROWS];
      let sum = 0;
      for (let c = 0; c < COLS; c++) sum += xs[t * COLS + c]! * ws[r * COLS + c]!;
      return value === sum;
    });
    if (!right)
      throw new QuernError('device-self-test', 'This JavaScript engine computes the matmul kernel wrongly.', {
        remedy: 'Use another version of Node or the reference device.',
      });
  }
  [x, w, y].forEach((address, i) => {
    heap.release(address, floats[i]! * 4);
  });
}
