// F32 into a cache for GPUs (contract: wgsl-encoders.ts).
export const f32EncodeWgsl = `
fn encode1(at: u32, x: f32) {
  atomicStore(&w[at >> 2u], bitcast<u32>(x));
}
`;
