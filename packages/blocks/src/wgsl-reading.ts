// What WGSL snippets of every room may use to read stored weights from `w: array<u32>`: words and halves at byte addresses,
// and bytes and bits as vectors. A word may begin at any byte that the blocks' size allows: at multiples of 4 where typeSize
// is one, at even bytes where it is even.
import type { DType } from './dtype.ts';

export function wgslReading({ typeSize }: DType): string {
  return `
// 4 bytes from byte \`at\` on
fn word(at: u32) -> u32 {
  ${wordAt(typeSize)}
}
// the F16 at byte \`at\`, which is even
fn half_at(at: u32) -> f32 {
  return unpack2x16float(w[at >> 2u] >> (8u * (at & 2u))).x;
}
fn byte_at(at: u32) -> u32 {
  return (w[at >> 2u] >> (8u * (at & 3u))) & 255u;
}
fn bytes_of(q: u32) -> vec4<f32> {
  return vec4<f32>((vec4<u32>(q) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(255u));
}
fn signed_bytes_of(q: u32) -> vec4<f32> {
  return bytes_of(q ^ 0x80808080u) - 128.0;
}
// bits k … k + 3
fn bits_of(q: u32, k: u32) -> vec4<f32> {
  return vec4<f32>((vec4<u32>(q) >> (vec4<u32>(0u, 1u, 2u, 3u) + k)) & vec4<u32>(1u));
}
`;
}

function wordAt(typeSize: number): string {
  if (typeSize % 4 === 0) return 'return w[at >> 2u];';
  if (typeSize % 2 === 0)
    return `let k = at >> 2u;
  if ((at & 2u) == 0u) { return w[k]; }
  return (w[k] >> 16u) | (w[k + 1u] << 16u);`;
  return `let k = at >> 2u;
  let shift = 8u * (at & 3u);
  if (shift == 0u) { return w[k]; }
  return (w[k] >> shift) | (w[k + 1u] << (32u - shift));`;
}
