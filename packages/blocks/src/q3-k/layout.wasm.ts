// The packed 6-bit scales of Q3_K (layout.ts explains them); `scales` points at the 12 bytes.

@inline
export function scaleOf(scales: usize, j: usize): u32 {
  const low: u32 = load<u8>(scales + (j & 7));
  const high: u32 = load<u8>(scales + (j & 3), 8);
  const nibble = <u32>(j >> 3);
  const quarter = <u32>(j >> 2);
  return ((low >> (4 * nibble)) & 15) | (((high >> (2 * quarter)) & 3) << 4);
}

/** Adds the scale of sub-block `j`, below 64, to zeroed bytes. */
@inline
export function putScale(scales: usize, j: usize, scale: u32): void {
  const low = scales + (j & 7);
  const high = scales + 8 + (j & 3);
  const nibble = <u32>(j >> 3);
  const quarter = <u32>(j >> 2);
  store<u8>(low, load<u8>(low) | ((scale & 15) << (4 * nibble)));
  store<u8>(high, load<u8>(high) | ((scale >> 4) << (2 * quarter)));
}
