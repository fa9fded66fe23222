// dtype → WGSL that encodes it, for the KV cache on a GPU. One line per room; the bytes are those of the room's reference,
// but for blocks whose largest magnitude is below 2^-119, which become 0: a step would be a subnormal number.
//
// A kernel binds the cache as `w: array<atomic<u32>>` (a row may end in the middle of a word, whose other half is another
// lane's), has the parameter `p.items`, below 2^31, and calls
//   encode1(at, x)    x: f32, of plain types
//   encode32(at, x)   x: array<vec4<f32>, 8>, a block
// to store at byte `at`, which is a multiple of two.
import type { DType } from './dtype.ts';
import { f16EncodeWgsl } from './f16/encode.wgsl.ts';
import { f32EncodeWgsl } from './f32/encode.wgsl.ts';
import { q4_0EncodeWgsl } from './q4-0/encode.wgsl.ts';
import { q8_0EncodeWgsl } from './q8-0/encode.wgsl.ts';

const encoders: Readonly<Record<string, string>> = {
  F32: f32EncodeWgsl,
  F16: f16EncodeWgsl,
  Q8_0: q8_0EncodeWgsl,
  Q4_0: q4_0EncodeWgsl,
};

/** The functions that encode `dtype`, or undefined when there are none. */
export const wgslEncoder = ({ name }: DType): string | undefined =>
  Object.hasOwn(encoders, name) ? writing + encoders[name] : undefined;

const writing = `
fn put_half(at: u32, bits: u32) {
  let shift = 8u * (at & 2u);
  atomicAnd(&w[at >> 2u], ~(0xffffu << shift));
  atomicOr(&w[at >> 2u], bits << shift);
}
`;
