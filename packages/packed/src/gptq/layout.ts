// GPTQ: a weight [out, in] is stored turned, codes of one OUTPUT channel following each other down the INPUT channels.
// Source: AutoGPTQ auto_gptq/nn_modules/qlinear/qlinear_cuda_old.py (pack, forward); GPTQModel docs on
// checkpoint_format.
//
//   qweight   i32 [in · b / 32, out]     down a column: codes of b bits as one stream, low bits first (bit-codes.ts)
//   qzeros    i32 [⌈in / g⌉, ⌈out · b / 32⌉]  along a row: out zeros as one stream; v1 stores zero − 1, v2 the zero
//   scales    f16 [⌈in / g⌉, out]             the last group may be shorter: 704 columns in groups of 128
//   g_idx     i32 [in]                   group of each input channel; in order unless desc_act
//
//   w[o][i] = (qweight[i, o] − zero[g_idx[i], o]) · scales[g_idx[i], o]
//
// In v1 a zero of 0 has no spelling of its own: what a stored 2^b − 1 means is 0 to AutoGPTQ, which masks after adding
// 1, and 2^b to kernels that do not. So it is refused, both ways.

export const BITS: readonly number[] = [2, 3, 4, 8];
