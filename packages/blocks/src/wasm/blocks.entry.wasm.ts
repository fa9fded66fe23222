// The WASM module of blocks: the kernels of every room, one export each.
export function probe(p: usize): f32 {
  return f32x4.extract_lane(f32x4.add(v128.load(p), v128.load(p, 16)), 0);
}
