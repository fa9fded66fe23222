// The scale of an NVFP4 sub-block, as in scale.ts.

/** Half of UE4M3 bits; NaN counts as zero, as in ggml-impl.h ggml_ue4m3_to_fp32. */
@inline
export function halfScale(bits: u32): f32 {
  const magnitude = bits & 127;
  if (bits == 127) return 0;
  if (magnitude < 8) return <f32>magnitude * reinterpret<f32>(0x3a800000); // · 2^-10
  return reinterpret<f32>((magnitude << 20) + ((127 - 7 - 1) << 23));
}

/** F32, not negative → UE4M3 bits, ties up; all from 248 on becomes 448. */
@inline
export function toScale(value: f32): u32 {
  if (value < <f32>0.015625) return min<u32>(7, <u32>(value * <f32>512 + <f32>0.5));
  const rounded = (reinterpret<u32>(value) + 0x00080000) >> 20;
  return rounded >= ((127 + 8) << 3) ? 0x7e : rounded - ((127 - 7) << 3);
}
