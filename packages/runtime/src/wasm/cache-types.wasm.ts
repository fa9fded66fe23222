// f32 → rows of the KV cache. One line per type (paging.ts lists them); the kernels know no types. Decoders are those of
// weights. Numbers are `enum ggml_type`.
import { encodeF16 } from '@quern/blocks/src/f16/encode.wasm';
import { encodeQ4_0 } from '@quern/blocks/src/q4-0/encode.wasm';
import { encodeQ8_0 } from '@quern/blocks/src/q8-0/encode.wasm';

export function encodeCache(type: u32, src: usize, dst: usize, blocks: usize): void {
  switch (type) {
    case 0: memory.copy(dst, src, blocks * 4); return;
    case 1: encodeF16(src, dst, blocks); return;
    case 2: encodeQ4_0(src, dst, blocks); return;
    case 8: encodeQ8_0(src, dst, blocks); return;
    default: unreachable();
  }
}
