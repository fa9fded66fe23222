// Vector constants of the integer kernels. V8 rebuilds a v128 constant at every use, so loops load them from memory.
export const LOW_BYTE = memory.data<u16>([255, 255, 255, 255, 255, 255, 255, 255], 16);
/** The first, second and third nibble of each 16-bit word. */
export const WORD_NIBBLE = memory.data<u16>([15, 15, 15, 15, 15, 15, 15, 15], 16);
export const SECOND_NIBBLE = memory.data<u16>([240, 240, 240, 240, 240, 240, 240, 240], 16);
export const THIRD_NIBBLE = memory.data<u16>([3840, 3840, 3840, 3840, 3840, 3840, 3840, 3840], 16);
/** The low nibble of every byte. */
export const NIBBLES = memory.data<u8>([15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15], 16);
/** The two lowest bits of every byte. */
export const TWO_BITS = memory.data<u8>([3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3], 16);
/** The six lowest bits of every byte. */
export const SIX_BITS = memory.data<u8>([63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63], 16);
/** The fifth bit of every byte. */
export const FIFTH = memory.data<u8>([16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16], 16);
/** The fifth and sixth bit of every byte. */
export const FIFTH_SIXTH = memory.data<u8>([48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48], 16);
/** The sign of every byte. */
export const SIGNS = memory.data<u8>([128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128], 16);
