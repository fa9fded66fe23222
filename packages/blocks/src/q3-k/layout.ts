// Q3_K: 256 weights in 110 bytes, as 16 sub-blocks of 16. A weight is represented as x = (d · (sc − 32)) · (q − 4), with a
// 6-bit sc per sub-block; effectively 3.4375 bits per weight. Source: ggml-common.h block_q3_K.
//
//     0   hmask   32 bytes; bit i / 32 of byte i mod 32 is the upper bit of q[i]
//    32   qs      64 bytes, the lower two bits of q, packed as in q2-k/layout.ts
//    96   scales  12 bytes: 16 × sc, see scaleOf
//   108   d       F16

export const BLOCK_WEIGHTS = 256;
export const BLOCK_BYTES = 110;
export const SUB_BLOCKS = 16;
export const SUB_WEIGHTS = 16;
export const QS_OFFSET = 32;
export const SCALES_OFFSET = 96;
export const D_OFFSET = 108;

// Byte j < 8 holds the low nibbles of sc[j] and sc[j + 8]; the upper two bits of sc[j] are bits 2⌊j / 4⌋ and the next of
// byte 8 + j mod 4.

/** 6-bit scale of sub-block `j`; `at` is where `scales` begins in `bytes`. */
export const scaleOf = (bytes: Uint8Array, at: number, j: number): number =>
  ((bytes[at + (j & 7)] >> (4 * (j >> 3))) & 15) | (((bytes[at + 8 + (j & 3)] >> (2 * (j >> 2))) & 3) << 4);

/** Adds the scale of sub-block `j`, below 64, to zeroed bytes. */
export function putScale(bytes: Uint8Array, at: number, j: number, scale: number): void {
  bytes[at + (j & 7)] |= (scale & 15) << (4 * (j >> 3));
  bytes[at + 8 + (j & 3)] |= (scale >> 4) << (2 * (j >> 2));
}
