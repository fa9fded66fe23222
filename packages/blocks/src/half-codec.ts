// Codecs of numbers that stand alone: one conversion per number, in one or two little-endian bytes.
import type { Codec } from './codec.ts';

/** Codec of a two-byte number from its scalar conversions. */
export const twoByteCodec = (widen: (bits: number) => number, narrow: (value: number) => number): Codec => ({
  decode(bytes, values) {
    for (let i = 0; i < values.length; i++) values[i] = widen(bytes[2 * i] | (bytes[2 * i + 1] << 8));
  },
  encode(values, bytes) {
    for (let i = 0; i < values.length; i++) {
      const bits = narrow(values[i]);
      bytes[2 * i] = bits;
      bytes[2 * i + 1] = bits >> 8;
    }
  },
});

/** Codec of a one-byte number from its scalar conversions. */
export const oneByteCodec = (widen: (bits: number) => number, narrow: (value: number) => number): Codec => ({
  decode(bytes, values) {
    for (let i = 0; i < values.length; i++) values[i] = widen(bytes[i]);
  },
  encode(values, bytes) {
    for (let i = 0; i < values.length; i++) bytes[i] = narrow(values[i]);
  },
});
