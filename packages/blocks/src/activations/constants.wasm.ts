// Vector constants of the integer kernels. V8 rebuilds a v128 constant at every use, so loops load them from memory.
export const LOW_BYTE = memory.data<u16>([255, 255, 255, 255, 255, 255, 255, 255], 16);
/** One nibble of each 16-bit word. */
export const WORD_NIBBLE = memory.data<u16>([15, 15, 15, 15, 15, 15, 15, 15], 16);
/** The low nibble of every byte. */
export const NIBBLES = memory.data<u8>([15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15], 16);
/** The fifth bit of every byte. */
export const FIFTH = memory.data<u8>([16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16], 16);
/** The fifth and sixth bit of every byte. */
export const FIFTH_SIXTH = memory.data<u8>([48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48], 16);
/** −8 and −16 in 16-bit words: the middle of four and of five bits. */
export const MINUS_8 = memory.data<i16>([-8, -8, -8, -8, -8, -8, -8, -8], 16);
export const MINUS_16 = memory.data<i16>([-16, -16, -16, -16, -16, -16, -16, -16], 16);
export const MINUS_32 = memory.data<i16>([-32, -32, -32, -32, -32, -32, -32, -32], 16);
