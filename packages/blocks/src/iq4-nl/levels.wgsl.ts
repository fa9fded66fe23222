// Sixteen levels by their codes for GPUs: four signed bytes to a word, no memory.
export const levelsWgsl = (levels: readonly number[]): string => {
  const word = (k: number) => [3, 2, 1, 0].reduce((bits, j) => ((bits << 8) | (levels[4 * k + j] & 255)) >>> 0, 0);
  return `
fn level_of(code: u32) -> f32 {
  let four = vec4<u32>(${[0, 1, 2, 3].map((k) => `${word(k)}u`).join(', ')})[code >> 2u];
  return f32(bitcast<i32>(four << (24u - 8u * (code & 3u))) >> 24u);
}
// of the codes in four bytes
fn levels_of(q: u32) -> vec4<f32> {
  return vec4<f32>(level_of(q & 15u), level_of((q >> 8u) & 15u), level_of((q >> 16u) & 15u), level_of((q >> 24u) & 15u));
}
`;
};
