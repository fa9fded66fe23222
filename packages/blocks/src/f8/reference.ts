// F8_E4M3 and F8_E5M2 (half.ts). GGUF has neither: they are read from safetensors, and written only by tests.
import { f8E4m3ToF32, f8E5m2ToF32, f32ToF8E4m3, f32ToF8E5m2 } from '../half.ts';
import { oneByteCodec } from '../half-codec.ts';

export const f8E4m3 = oneByteCodec(f8E4m3ToF32, f32ToF8E4m3);
export const f8E5m2 = oneByteCodec(f8E5m2ToF32, f32ToF8E5m2);
