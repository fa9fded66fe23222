// The 5-bit codes that Q5_0 and Q5_1 share (layout.ts): fifth bits in one word, the rest in nibbles.
import { BLOCK_WEIGHTS } from './layout.ts';

const HALF = BLOCK_WEIGHTS / 2;

/** Code of weight `j`; `qh` and `qs` are where those fields begin in `bytes`. */
export function codeAt(bytes: Uint8Array, qh: number, qs: number, j: number): number {
  const packed = bytes[qs + (j % HALF)];
  const low = j < HALF ? packed & 15 : packed >> 4;
  return low | (((bytes[qh + (j >> 3)] >> (j & 7)) & 1) << 4);
}

/** Stores the codes of all weights of the block; only the lower five bits count. */
export function putCodes(bytes: Uint8Array, qh: number, qs: number, codes: Uint8Array): void {
  bytes.fill(0, qh, qh + 4);
  for (let j = 0; j < HALF; j++) {
    const low = codes[j];
    const high = codes[HALF + j];
    bytes[qs + j] = (low & 15) | ((high & 15) << 4);
    bytes[qh + (j >> 3)] |= ((low >> 4) & 1) << (j & 7);
    bytes[qh + 2 + (j >> 3)] |= ((high >> 4) & 1) << (j & 7);
  }
}
