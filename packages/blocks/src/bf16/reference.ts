// BF16: the upper half of an F32, ties to even (half.ts).
import { bf16ToF32, f32ToBf16 } from '../half.ts';
import { twoByteCodec } from '../half-codec.ts';

export const bf16 = twoByteCodec(bf16ToF32, f32ToBf16);
