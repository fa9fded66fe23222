// The scale of an NVFP4 sub-block.

/** Half of UE4M3 bits; NaN counts as zero, as in ggml-impl.h ggml_ue4m3_to_fp32. */
@inline
export function halfScale(bits: u32): f32 {
  const magnitude = bits & 127;
  if (bits == 127) return 0;
  if (magnitude < 8) return <f32>magnitude * reinterpret<f32>(0x3a800000); // · 2^-10
  return reinterpret<f32>((magnitude << 20) + ((127 - 7 - 1) << 23));
}
