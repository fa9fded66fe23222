// F32 → F32: the identity, so that kernels written over decoders also take plain numbers.

/** `blocks` numbers of 4 bytes at `src` → as many floats at `dst`. */
export function decodeF32(src: usize, dst: usize, blocks: usize): void {
  memory.copy(dst, src, blocks * 4);
}
