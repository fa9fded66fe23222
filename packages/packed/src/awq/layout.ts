// AWQ "gemm": a weight [out, in] is stored turned, [in, out], eight 4-bit codes of neighbouring OUTPUT channels per
// word.
// Source: AutoAWQ awq/modules/linear/gemm.py (WQLinear_GEMM), awq/utils/packing_utils.py.
//
//   qweight   i32 [in, out / 8]       bits 4i … 4i + 3 of word c are the code of channel 8c + ORDER[i]
//   qzeros    i32 [in / g, out / 8]   zeros, in the same order, as they are
//   scales    f16 [in / g, out]
//
//   w[o][i] = (qweight[i, o] − qzeros[⌊i / g⌋, o]) · scales[⌊i / g⌋, o]

export const FORMAT = 'awq-gemm';
export const BITS = 4;
/** Channels per word. */
export const PER_WORD = 8;
/** Channel (of the word's eight) in nibble i: two interleaved halves, as the CUDA kernel unpacks them. */
export const ORDER: readonly number[] = [0, 2, 4, 6, 1, 3, 5, 7];
/** Bit at which the code of channel k of the word starts. */
export const SHIFT_OF = ORDER.map((_, channel) => 4 * ORDER.indexOf(channel));
