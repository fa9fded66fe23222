// Q2_K: 256 weights in 84 bytes, as 16 sub-blocks of 16. A weight is represented as x = (d · sc) · q − (dmin · m), with
// 4-bit sc and m per sub-block; effectively 2.625 bits per weight. Source: ggml-common.h block_q2_K.
//
//    0   scales  16 bytes; byte j holds sc of sub-block j in its low and m in its high nibble
//   16   qs      64 bytes; byte 32h + l holds q[128h + l], q[128h + 32 + l], q[128h + 64 + l] and q[128h + 96 + l] in its
//                bits 0–1, 2–3, 4–5, 6–7, for l < 32
//   80   d       F16, scale of the 4-bit scales
//   82   dmin    F16, scale of the 4-bit minima

export const BLOCK_WEIGHTS = 256;
export const BLOCK_BYTES = 84;
export const SUB_BLOCKS = 16;
export const SUB_WEIGHTS = 16;
export const QS_OFFSET = 16;
export const D_OFFSET = 80;
export const DMIN_OFFSET = 82;

/** Two bits of weight `i`; `at` is where `qs` begins in `bytes`. */
export const twoBitsAt = (bytes: Uint8Array, at: number, i: number): number =>
  (bytes[at + 32 * (i >> 7) + (i & 31)] >> (2 * ((i >> 5) & 3))) & 3;

/** Adds the two bits of weight `i` to zeroed bytes. */
export function putTwoBits(bytes: Uint8Array, at: number, i: number, code: number): void {
  bytes[at + 32 * (i >> 7) + (i & 31)] |= code << (2 * ((i >> 5) & 3));
}
