// Q4_K: 256 weights in 144 bytes, as 8 sub-blocks of 32. A weight is represented as x = (d · sc) · q − (dmin · m), with
// 6-bit sc and m per sub-block; effectively 4.5 bits per weight. Source: ggml-common.h block_q4_K.
//
//    0   d       F16, scale of the 6-bit scales
//    2   dmin    F16, scale of the 6-bit minima
//    4   scales  12 bytes: 8 × (sc, m), see scaleOf and minOf
//   16   qs      128 bytes; byte 32p + l holds q[64p + l] in its low and q[64p + 32 + l] in its high nibble

export const BLOCK_WEIGHTS = 256;
export const BLOCK_BYTES = 144;
export const SUB_BLOCKS = 8;
export const SUB_WEIGHTS = 32;
export const SCALES_OFFSET = 4;
export const QS_OFFSET = 16;

// The first four sub-blocks have their sc in the low 6 bits of bytes 0–3, their m in those of bytes 4–7. The other four
// share bytes 8–11 (sc low nibble, m high nibble) and keep their upper two bits on top of bytes 0–3 and 4–7.

/** 6-bit scale of sub-block `j`; `at` is where `scales` begins in `bytes`. */
export const scaleOf = (bytes: Uint8Array, at: number, j: number): number =>
  j < 4 ? bytes[at + j] & 63 : (bytes[at + j + 4] & 15) | ((bytes[at + j - 4] >> 6) << 4);

/** 6-bit minimum of sub-block `j`. */
export const minOf = (bytes: Uint8Array, at: number, j: number): number =>
  j < 4 ? bytes[at + j + 4] & 63 : (bytes[at + j + 4] >> 4) | ((bytes[at + j] >> 6) << 4);

/** Stores scale and minimum of sub-block `j`, both below 64; call with `j` ascending on zeroed bytes. */
export function putScaleMin(bytes: Uint8Array, at: number, j: number, scale: number, min: number): void {
  if (j < 4) {
    bytes[at + j] = scale;
    bytes[at + j + 4] = min;
  } else {
    bytes[at + j + 4] = (scale & 15) | ((min & 15) << 4);
    bytes[at + j - 4] |= (scale >> 4) << 6;
    bytes[at + j] |= (min >> 4) << 6;
  }
}
