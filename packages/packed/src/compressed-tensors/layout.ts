// compressed-tensors: one container of formats, named by `format` of the configuration or of a group in it.
// Source: compressed_tensors/compressors/{pack_quantized,naive_quantized,nvfp4,mxfp4}/base.py, version 0.20.
//
// pack-quantized, codes u = q + 2^(b − 1):
//   weight_packed       i32 [out, ⌈in · b / 32⌉]       a row of u as one stream, lowest bits first (bit-codes.ts)
//   weight_scale        [out, in / g], or [out, 1] for a channel, or [1] for the tensor
//   weight_zero_point   i32 [⌈out · b / 32⌉, in / g]   zeros as u, a stream down each column; asymmetric only
//   weight_shape        i64 [2]                        out, in
//   weight_g_idx        i32 [in]                       with actorder "group"
// int-quantized:        weight i8 [out, in], weight_scale, weight_zero_point i8
// float-quantized:      weight F8_E4M3 [out, in], weight_scale of the tensor, of rows, or of tiles (`block_structure`)
// mxfp8-quantized:      weight F8_E4M3 [out, in], weight_scale u8 (E8M0) [out, in / 32]
// nvfp4-pack-quantized: weight_packed u8 [out, in / 2], weight_scale F8_E4M3 [out, in / 16],
//                       weight_global_scale f32 [1], which DIVIDES: w = FP4 · weight_scale / weight_global_scale
// mxfp4-pack-quantized: weight_packed u8 [out, in / 2], weight_scale u8 (E8M0) [out, in / 32]

/** Widths whose words have no padding bits in any version; 3, 5, 6 and 7 bits were padded before 0.20. */
export const PACKED_BITS: readonly number[] = [2, 4, 8];
