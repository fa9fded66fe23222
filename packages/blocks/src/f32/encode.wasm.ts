// F32 → F32: the identity.

/** `blocks` floats at `src` → as many numbers of 4 bytes at `dst`. */
export function encodeF32(src: usize, dst: usize, blocks: usize): void {
  memory.copy(dst, src, blocks * 4);
}
