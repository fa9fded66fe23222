// Writing MLX affine (layout.ts). Zeros become offsets, −zero · scale, rounded to the dtype of scales.
import { dtypeByName } from '@quern/blocks';
import { packCodes } from '../bit-codes.ts';
import { zerosOf } from '../pack-checks.ts';
import { packerOf } from '../pack-format.ts';
import type { GroupedRows } from '../packed-weight.ts';
import type { Packer } from '../packer.ts';
import { BITS, GROUP_SIZES } from './layout.ts';

export const mlxPacker: Packer = packerOf({
  format: 'mlx',
  limits: {
    bits: BITS,
    groupSizes: GROUP_SIZES,
    symmetric: [false, true],
    actOrder: false,
    rowsMultipleOf: 1,
    colsMultipleOf: 32,
    scaleDTypes: ['BF16', 'F16', 'F32'],
    minZero: 0,
    offsets: true,
    embedding: true,
  },
  usuallySymmetric: false,
  partsOf: ({ rows, cols, groups, scaleDType }, { bits }) => [
    ['weight', dtypeByName('U32'), [rows, (cols * bits) / 32]],
    ['scales', scaleDType, [rows, groups]],
    ['biases', scaleDType, [rows, groups]],
  ],
  pack: (weight) => ({
    weight: packStream(weight),
    scales: weight.scales,
    biases: weight.offsets ?? offsetsOf(weight),
  }),
  config(options) {
    // Which modules are packed is what has scales.
    const quantization = { group_size: options.groupSize, bits: options.bits, mode: 'affine' };
    return { quantization_config: quantization, extraConfig: { quantization } };
  },
});

/** Rows are whole words, so all of them are one stream. */
function packStream({ rows, cols, bits, codes }: GroupedRows): Uint8Array {
  const packed = new Uint8Array((rows * cols * bits) / 8);
  packCodes(codes, 0, codes.length, bits, packed);
  return packed;
}

function offsetsOf(weight: GroupedRows): Float32Array {
  const zeros = zerosOf(weight);
  return weight.scales.map((scale, group) => -zeros[group] * scale);
}
