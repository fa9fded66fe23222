// The three ways ggml turns a float into an integer. They differ on ties, and outside the range they are meant for, where
// subnormal scales can lead (1/d is then infinite); bytes are equal to ggml's only if these are.

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** ggml-quants.c nearest_int: ties to even by adding 1.5 · 2^23, of which the low 23 bits are then the integer. */
export function nearestInt(value: number): number {
  float[0] = value + 12582912;
  return (bits[0] & 0x007fffff) - 0x00400000;
}

/** C's `(int8_t)` of a float on x86-64: truncation, then the lowest byte; 0 for NaN and infinities. */
export const truncateToInt8 = (value: number): number => (value << 24) >> 24;

/** C's roundf: ties away from zero. */
export const roundHalfAway = (value: number): number =>
  value < 0 ? -Math.floor(-value + 0.5) : Math.floor(value + 0.5);

export const clamp = (value: number, low: number, high: number): number => Math.max(low, Math.min(high, value));
