// Weight rows of any stored type → f32. One line per type; the kernels know no types. Numbers are `enum ggml_type`.
import { decodeBF16 } from '@quern/blocks/src/bf16/decode.wasm';
import { decodeF16 } from '@quern/blocks/src/f16/decode.wasm';
import { decodeF32 } from '@quern/blocks/src/f32/decode.wasm';
import { decodeIQ1_M } from '@quern/blocks/src/iq1-m/decode.wasm';
import { decodeIQ1_S } from '@quern/blocks/src/iq1-s/decode.wasm';
import { decodeIQ2_S } from '@quern/blocks/src/iq2-s/decode.wasm';
import { decodeIQ2_XS } from '@quern/blocks/src/iq2-xs/decode.wasm';
import { decodeIQ2_XXS } from '@quern/blocks/src/iq2-xxs/decode.wasm';
import { decodeIQ3_S } from '@quern/blocks/src/iq3-s/decode.wasm';
import { decodeIQ3_XXS } from '@quern/blocks/src/iq3-xxs/decode.wasm';
import { decodeIQ4_NL } from '@quern/blocks/src/iq4-nl/decode.wasm';
import { decodeIQ4_XS } from '@quern/blocks/src/iq4-xs/decode.wasm';
import { decodeMXFP4 } from '@quern/blocks/src/mxfp4/decode.wasm';
import { decodeNVFP4 } from '@quern/blocks/src/nvfp4/decode.wasm';
import { decodeQ1_0 } from '@quern/blocks/src/q1-0/decode.wasm';
import { decodeQ2_0 } from '@quern/blocks/src/q2-0/decode.wasm';
import { decodeQ2_K } from '@quern/blocks/src/q2-k/decode.wasm';
import { decodeQ3_K } from '@quern/blocks/src/q3-k/decode.wasm';
import { decodeQ4_0 } from '@quern/blocks/src/q4-0/decode.wasm';
import { decodeQ4_1 } from '@quern/blocks/src/q4-1/decode.wasm';
import { decodeQ4_K } from '@quern/blocks/src/q4-k/decode.wasm';
import { decodeQ5_0 } from '@quern/blocks/src/q5-0/decode.wasm';
import { decodeQ5_1 } from '@quern/blocks/src/q5-1/decode.wasm';
import { decodeQ5_K } from '@quern/blocks/src/q5-k/decode.wasm';
import { decodeQ6_K } from '@quern/blocks/src/q6-k/decode.wasm';
import { decodeQ8_0 } from '@quern/blocks/src/q8-0/decode.wasm';
import { decodeTQ1_0 } from '@quern/blocks/src/tq1-0/decode.wasm';
import { decodeTQ2_0 } from '@quern/blocks/src/tq2-0/decode.wasm';

export const F32: u32 = 0;

/** Decodes `blocks` blocks. False when the type has no decoder here. */
export function decode(type: u32, src: usize, dst: usize, blocks: usize): bool {
  switch (type) {
    case F32: decodeF32(src, dst, blocks); return true;
    case 1: decodeF16(src, dst, blocks); return true;
    case 2: decodeQ4_0(src, dst, blocks); return true;
    case 3: decodeQ4_1(src, dst, blocks); return true;
    case 6: decodeQ5_0(src, dst, blocks); return true;
    case 7: decodeQ5_1(src, dst, blocks); return true;
    case 8: decodeQ8_0(src, dst, blocks); return true;
    case 10: decodeQ2_K(src, dst, blocks); return true;
    case 11: decodeQ3_K(src, dst, blocks); return true;
    case 12: decodeQ4_K(src, dst, blocks); return true;
    case 13: decodeQ5_K(src, dst, blocks); return true;
    case 14: decodeQ6_K(src, dst, blocks); return true;
    case 16: decodeIQ2_XXS(src, dst, blocks); return true;
    case 17: decodeIQ2_XS(src, dst, blocks); return true;
    case 18: decodeIQ3_XXS(src, dst, blocks); return true;
    case 19: decodeIQ1_S(src, dst, blocks); return true;
    case 20: decodeIQ4_NL(src, dst, blocks); return true;
    case 21: decodeIQ3_S(src, dst, blocks); return true;
    case 22: decodeIQ2_S(src, dst, blocks); return true;
    case 23: decodeIQ4_XS(src, dst, blocks); return true;
    case 29: decodeIQ1_M(src, dst, blocks); return true;
    case 30: decodeBF16(src, dst, blocks); return true;
    case 34: decodeTQ1_0(src, dst, blocks); return true;
    case 35: decodeTQ2_0(src, dst, blocks); return true;
    case 39: decodeMXFP4(src, dst, blocks); return true;
    case 40: decodeNVFP4(src, dst, blocks); return true;
    case 41: decodeQ1_0(src, dst, blocks); return true;
    case 42: decodeQ2_0(src, dst, blocks); return true;
    default: return false;
  }
}
