// Points of a grid (points.ts) and signs for GPUs. The points are the kernel's `table: array<u32>`, two to a word.

/** Words of a table of points. */
export function tableOf(points: Uint16Array): Uint32Array {
  const words = new Uint32Array(Math.ceil(points.length / 2));
  for (const [rank, point] of points.entries()) words[rank >> 1] |= point << (16 * (rank & 1));
  return words;
}

/** For grids of eight codes `two_bits_of(point, h)`, of four codes `three_bits_of(point)`; signs of eight weights by halves. */
export const gridWgsl = `
fn point_at(rank: u32) -> u32 {
  return (table[rank >> 1u] >> (16u * (rank & 1u))) & 0xffffu;
}
// codes 4h … 4h + 3 of a point of eight
fn two_bits_of(point: u32, h: u32) -> vec4<u32> {
  return (vec4<u32>(point) >> (vec4<u32>(0u, 2u, 4u, 6u) + 8u * h)) & vec4<u32>(3u);
}
fn three_bits_of(point: u32) -> vec4<u32> {
  return (vec4<u32>(point) >> vec4<u32>(0u, 3u, 6u, 9u)) & vec4<u32>(7u);
}
// 1 or −1 by bits 4h … 4h + 3
fn signs_of(bits: u32, h: u32) -> vec4<f32> {
  return 1.0 - 2.0 * bits_of(bits, 4u * h);
}
// eight sign bits from seven: the last makes their number even
fn even_signs(stored: u32) -> u32 {
  return stored | ((countOneBits(stored) & 1u) << 7u);
}
`;
