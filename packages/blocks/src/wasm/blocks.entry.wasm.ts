// The WASM module of blocks: the kernels of every room. The pool finds them by name: `decode<Type>`.
export { decodeBF16 } from '../bf16/decode.wasm';
export { decodeF8_E4M3, decodeF8_E5M2 } from '../f8/decode.wasm';
export { decodeF16 } from '../f16/decode.wasm';
export { decodeF32 } from '../f32/decode.wasm';
export { decodeQ4_0 } from '../q4-0/decode.wasm';
export { decodeQ4_K } from '../q4-k/decode.wasm';
export { decodeQ6_K } from '../q6-k/decode.wasm';
export { decodeQ8_0 } from '../q8-0/decode.wasm';
