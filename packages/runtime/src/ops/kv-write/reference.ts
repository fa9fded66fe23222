import type { ReferenceCall } from '../op.ts';

export function kvWriteReference({ dims, params, f32, i32, storeRow }: ReferenceCall<'kvWrite'>): void {
  const { T, kvDim, maxBlocks } = dims as { T: number; kvDim: number; maxBlocks: number };
  const { blockTokens } = params;
  const kv = f32('kv');
  const [table, seq, pos] = [i32('blockTable'), i32('seq'), i32('pos')];
  for (let t = 0; t < T; t++) {
    const block = table[seq[t]! * maxBlocks + Math.floor(pos[t]! / blockTokens)]!;
    const cell = block * blockTokens + (pos[t]! % blockTokens);
    storeRow(cell, kv.subarray(t * kvDim, (t + 1) * kvDim));
  }
}
