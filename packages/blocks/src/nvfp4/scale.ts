// The scale of an NVFP4 sub-block: UE4M3, that is F8_E4M3 without its sign.
// Source: ggml-impl.h ggml_fp32_to_ue4m3, ggml_ue4m3_to_fp32. Rounding is theirs: ties go up, and so does all from 248 on.

const { fround } = Math;
/** Bits of 256 and of 448, the largest. */
const TOP_BINADE = 0x78;
const LARGEST = 0x7e;

/** UE4M3 bits → half the value, since VALUES are doubled; NaN counts as zero. */
export function halfScale(bits: number): number {
  if (bits === 0x7f) return 0;
  const exponent = (bits >> 3) & 15;
  const mantissa = bits & 7;
  return exponent === 0 ? mantissa * 2 ** -10 : (8 + mantissa) * 2 ** (exponent - 11);
}

/** F32 → UE4M3 bits; 448 for all that is larger, 0 for what is not positive. */
export function toScale(value: number): number {
  if (!(value > 0)) return 0;
  if (value < 2 ** -6) return Math.min(7, Math.trunc(fround(fround(value * 512) + 0.5)));
  const exponent = Math.min(8, Math.floor(Math.log2(value))); // exact: an F32 is far enough from the next power of two
  const bits = Math.floor(value * 2 ** (3 - exponent) + 0.5) + ((exponent + 6) << 3);
  return bits >= TOP_BINADE ? LARGEST : bits;
}
