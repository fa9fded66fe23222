// F32: the identity, on little-endian machines, which is all that Node runs on in practice.
import type { Codec } from '../codec.ts';

const bytesOf = (values: Float32Array) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

export const f32: Codec = {
  decode: (bytes, values) => bytesOf(values).set(bytes),
  encode: (values, bytes) => bytes.set(bytesOf(values)),
};
