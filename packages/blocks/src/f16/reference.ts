// F16: IEEE binary16, ties to even (half.ts).
import { f16ToF32, f32ToF16 } from '../half.ts';
import { twoByteCodec } from '../half-codec.ts';

export const f16 = twoByteCodec(f16ToF32, f32ToF16);
