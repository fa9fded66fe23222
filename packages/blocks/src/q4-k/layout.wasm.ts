// The packed 6-bit scales and minima of Q4_K (layout.ts explains them); `scales` points at the 12 bytes.

@inline
export function scaleOf(scales: usize, j: usize): u32 {
  if (j < 4) return load<u8>(scales + j) & 63;
  return (load<u8>(scales + j, 4) & 15) | ((<u32>load<u8>(scales + j - 4) >> 6) << 4);
}

@inline
export function minOf(scales: usize, j: usize): u32 {
  if (j < 4) return load<u8>(scales + j, 4) & 63;
  return (<u32>load<u8>(scales + j, 4) >> 4) | ((<u32>load<u8>(scales + j) >> 6) << 4);
}

/** Stores scale and minimum of sub-block `j`, both below 64; call with `j` ascending, it overwrites bytes 0–7. */
@inline
export function putScaleMin(scales: usize, j: usize, scale: u32, min: u32): void {
  if (j < 4) {
    store<u8>(scales + j, scale);
    store<u8>(scales + j, min, 4);
  } else {
    store<u8>(scales + j, (scale & 15) | ((min & 15) << 4), 4);
    store<u8>(scales + j - 4, load<u8>(scales + j - 4) | ((scale >> 4) << 6));
    store<u8>(scales + j, load<u8>(scales + j) | ((min >> 4) << 6));
  }
}

/** All eight scales, a byte each. */
@inline
export function scaleBytes(scales: usize): u64 {
  const top: u32 = load<u32>(scales), last: u32 = load<u32>(scales, 8);
  return <u64>(top & 0x3f3f3f3f) | (<u64>((last & 0x0f0f0f0f) | ((top >> 2) & 0x30303030)) << 32);
}

/** All eight minima, a byte each. */
@inline
export function minBytes(scales: usize): u64 {
  const top: u32 = load<u32>(scales, 4), last: u32 = load<u32>(scales, 8);
  return <u64>(top & 0x3f3f3f3f) | (<u64>(((last >> 4) & 0x0f0f0f0f) | ((top >> 2) & 0x30303030)) << 32);
}
