// The WASM module of blocks: the kernels of every room. The pool finds them by name: `decode<Type>`, `encode<Type>`,
// `encode<Type>Weighted` for types that heed importance and, for pairs that have a shortcut, `convert<From>_<To>`.
import { GRID_TABLES_BYTES } from '../grids/tables.wasm';

export { decodeBF16 } from '../bf16/decode.wasm';
export { encodeBF16 } from '../bf16/encode.wasm';
export { convertBF16_F16 } from '../bf16/to-f16.wasm';
export { decodeF16 } from '../f16/decode.wasm';
export { encodeF16 } from '../f16/encode.wasm';
export { decodeF32 } from '../f32/decode.wasm';
export { encodeF32 } from '../f32/encode.wasm';
export { decodeF8_E4M3, decodeF8_E5M2 } from '../f8/decode.wasm';
export { decodeIQ1_M } from '../iq1-m/decode.wasm';
export { encodeIQ1_M, encodeIQ1_MWeighted } from '../iq1-m/encode.wasm';
export { decodeIQ1_S } from '../iq1-s/decode.wasm';
export { encodeIQ1_SWeighted } from '../iq1-s/encode.wasm';
export { decodeIQ2_S } from '../iq2-s/decode.wasm';
export { encodeIQ2_S, encodeIQ2_SWeighted } from '../iq2-s/encode.wasm';
export { decodeIQ2_XS } from '../iq2-xs/decode.wasm';
export { encodeIQ2_XSWeighted } from '../iq2-xs/encode.wasm';
export { decodeIQ2_XXS } from '../iq2-xxs/decode.wasm';
export { encodeIQ2_XXSWeighted } from '../iq2-xxs/encode.wasm';
export { decodeIQ3_S } from '../iq3-s/decode.wasm';
export { encodeIQ3_S, encodeIQ3_SWeighted } from '../iq3-s/encode.wasm';
export { decodeIQ3_XXS } from '../iq3-xxs/decode.wasm';
export { encodeIQ3_XXS, encodeIQ3_XXSWeighted } from '../iq3-xxs/encode.wasm';
export { decodeIQ4_NL } from '../iq4-nl/decode.wasm';
export { encodeIQ4_NL, encodeIQ4_NLWeighted } from '../iq4-nl/encode.wasm';
export { decodeIQ4_XS } from '../iq4-xs/decode.wasm';
export { encodeIQ4_XS, encodeIQ4_XSWeighted } from '../iq4-xs/encode.wasm';
export { decodeMXFP4 } from '../mxfp4/decode.wasm';
export { encodeMXFP4 } from '../mxfp4/encode.wasm';
export { decodeNVFP4 } from '../nvfp4/decode.wasm';
export { encodeNVFP4 } from '../nvfp4/encode.wasm';
export { decodeQ1_0 } from '../q1-0/decode.wasm';
export { encodeQ1_0 } from '../q1-0/encode.wasm';
export { decodeQ2_0 } from '../q2-0/decode.wasm';
export { encodeQ2_0 } from '../q2-0/encode.wasm';
export { decodeQ2_K } from '../q2-k/decode.wasm';
export { encodeQ2_K, encodeQ2_KWeighted } from '../q2-k/encode.wasm';
export { decodeQ3_K } from '../q3-k/decode.wasm';
export { encodeQ3_K, encodeQ3_KWeighted } from '../q3-k/encode.wasm';
export { decodeQ4_0 } from '../q4-0/decode.wasm';
export { encodeQ4_0, encodeQ4_0Weighted } from '../q4-0/encode.wasm';
export { decodeQ4_1 } from '../q4-1/decode.wasm';
export { encodeQ4_1, encodeQ4_1Weighted } from '../q4-1/encode.wasm';
export { decodeQ4_K } from '../q4-k/decode.wasm';
export { encodeQ4_K, encodeQ4_KWeighted } from '../q4-k/encode.wasm';
export { decodeQ5_0 } from '../q5-0/decode.wasm';
export { encodeQ5_0, encodeQ5_0Weighted } from '../q5-0/encode.wasm';
export { decodeQ5_1 } from '../q5-1/decode.wasm';
export { encodeQ5_1, encodeQ5_1Weighted } from '../q5-1/encode.wasm';
export { decodeQ5_K } from '../q5-k/decode.wasm';
export { encodeQ5_K, encodeQ5_KWeighted } from '../q5-k/encode.wasm';
export { decodeQ6_K } from '../q6-k/decode.wasm';
export { encodeQ6_K, encodeQ6_KWeighted } from '../q6-k/encode.wasm';
export { decodeQ8_0 } from '../q8-0/decode.wasm';
export { encodeQ8_0 } from '../q8-0/encode.wasm';
export { countNonFinite, firstNonFinite, largestMagnitude, largestMagnitude16 } from '../scan.wasm';
export { addSquares } from '../squares.wasm';
export { decodeTQ1_0 } from '../tq1-0/decode.wasm';
export { encodeTQ1_0 } from '../tq1-0/encode.wasm';
export { decodeTQ2_0 } from '../tq2-0/decode.wasm';
export { encodeTQ2_0 } from '../tq2-0/encode.wasm';

/** Where memory that the module does not use itself begins. */
export function heapBase(): usize {
  return __heap_base + GRID_TABLES_BYTES;
}
