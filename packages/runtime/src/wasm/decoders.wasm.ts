// Weight rows of any stored type → f32. One line per type; the kernels know no types. Numbers are `enum ggml_type`.
import { decodeBF16 } from '@quern/blocks/src/bf16/decode.wasm';
import { decodeF16 } from '@quern/blocks/src/f16/decode.wasm';
import { decodeF32 } from '@quern/blocks/src/f32/decode.wasm';
import { decodeQ4_0 } from '@quern/blocks/src/q4-0/decode.wasm';
import { decodeQ4_K } from '@quern/blocks/src/q4-k/decode.wasm';
import { decodeQ5_0 } from '@quern/blocks/src/q5-0/decode.wasm';
import { decodeQ5_1 } from '@quern/blocks/src/q5-1/decode.wasm';
import { decodeQ5_K } from '@quern/blocks/src/q5-k/decode.wasm';
import { decodeQ6_K } from '@quern/blocks/src/q6-k/decode.wasm';
import { decodeQ8_0 } from '@quern/blocks/src/q8-0/decode.wasm';

export const F32: u32 = 0;

/** Decodes `blocks` blocks. False when the type has no decoder here. */
export function decode(type: u32, src: usize, dst: usize, blocks: usize): bool {
  switch (type) {
    case F32: decodeF32(src, dst, blocks); return true;
    case 1: decodeF16(src, dst, blocks); return true;
    case 2: decodeQ4_0(src, dst, blocks); return true;
    case 6: decodeQ5_0(src, dst, blocks); return true;
    case 7: decodeQ5_1(src, dst, blocks); return true;
    case 8: decodeQ8_0(src, dst, blocks); return true;
    case 12: decodeQ4_K(src, dst, blocks); return true;
    case 13: decodeQ5_K(src, dst, blocks); return true;
    case 14: decodeQ6_K(src, dst, blocks); return true;
    case 30: decodeBF16(src, dst, blocks); return true;
    default: return false;
  }
}
