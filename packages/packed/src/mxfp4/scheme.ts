// gpt-oss: {quant_method: "mxfp4", modules_to_not_convert}. Experts are stacked, and their matrices lie as [out, in]:
//
//   experts.gate_up_proj_blocks   u8 [experts, out, in / 32, 16]   (fp4-weight.ts has the bytes)
//   experts.gate_up_proj_scales   u8 [experts, out, in / 32]
//
// Source: transformers src/transformers/integrations/mxfp4.py convert_moe_packed_tensors. What transformers unpacks
// is turned, [experts, in, out]; the weight given here, `experts.gate_up_proj`, keeps [experts, out, in].
import { fp4Weight } from '../fp4-weight.ts';
import { modulesWith } from '../modules.ts';
import type { PackedWeight } from '../packed-weight.ts';
import { partOf, proveCols, proveDType, proveRank, proveShape } from '../proofs.ts';
import { POWER_DTYPES } from '../scales.ts';
import type { Room } from '../scheme.ts';
import type { StoredTensor } from '../stored-tensor.ts';

const BLOCK = 32;
const BLOCK_BYTES = 16;

export const mxfp4: Room = {
  method: 'mxfp4',
  scheme: () => ({
    method: 'mxfp4',
    description: 'MXFP4 experts, 4.25 bits, blocks of 32',
    open: async (tensors) => modulesWith(tensors, '_blocks').map(({ module, tensor }) => open(module, tensor, tensors)),
  }),
};

function open(name: string, codes: StoredTensor, tensors: ReadonlyMap<string, StoredTensor>): PackedWeight {
  const scales = partOf(tensors, `${name}_scales`, codes);
  proveRank(codes, 4);
  proveDType(codes, 'U8');
  const [experts, out, blocks] = codes.shape;
  proveShape(codes, [experts, out, blocks, BLOCK_BYTES], 'MXFP4');
  proveDType(scales, ...POWER_DTYPES);
  proveShape(scales, [experts, out, blocks], `the shape of ${codes.name}`);
  proveCols(codes, blocks * BLOCK);
  return fp4Weight({ name, format: 'mxfp4', kind: 'MXFP4', shape: [experts, out, blocks * BLOCK], codes, scales });
}
