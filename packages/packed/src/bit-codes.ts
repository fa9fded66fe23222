// Codes of 2 to 8 bits in a stream: code i is bits i·b … i·b + b − 1, counted from the lowest bit of the first byte.
// GPTQ's 32-bit words (3-bit codes too, 32 of them in 3 words), the words of compressed-tensors and MLX's bytes are all
// such streams on a little-endian machine.

/** `count` codes from the start of `bytes` into `codes` from `at`. */
export function unpackCodes(bytes: Uint8Array, bits: number, count: number, codes: Uint8Array, at: number): void {
  if (bits === 8) {
    codes.set(bytes.subarray(0, count), at);
    return;
  }
  if (bits === 4) {
    const pairs = count >> 1;
    for (let i = 0; i < pairs; i++) {
      codes[at + 2 * i] = bytes[i] & 15;
      codes[at + 2 * i + 1] = bytes[i] >> 4;
    }
    if (count & 1) codes[at + count - 1] = bytes[pairs] & 15;
    return;
  }
  const mask = (1 << bits) - 1;
  let held = 0;
  let heldBits = 0;
  for (let i = 0, next = 0; i < count; i++) {
    if (heldBits < bits) {
      held |= bytes[next++] << heldBits;
      heldBits += 8;
    }
    codes[at + i] = held & mask;
    held >>>= bits;
    heldBits -= bits;
  }
}

/** The reverse: `count` codes from `codes[at]` on into `bytes`, which are zero before. */
export function packCodes(codes: Uint8Array, at: number, count: number, bits: number, bytes: Uint8Array): void {
  let held = 0;
  let heldBits = 0;
  let next = 0;
  for (let i = 0; i < count; i++) {
    held |= codes[at + i] << heldBits;
    heldBits += bits;
    if (heldBits >= 8) {
      bytes[next++] = held;
      held >>>= 8;
      heldBits -= 8;
    }
  }
  if (heldBits > 0) bytes[next] = held;
}
