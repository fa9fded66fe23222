// F16 into a cache for GPUs (contract: wgsl-encoders.ts).
import { exactWgsl } from '../exact.wgsl.ts';

export const f16EncodeWgsl = `${exactWgsl}
fn encode1(at: u32, x: f32) {
  put_half(at, nearest_half(x));
}
`;
