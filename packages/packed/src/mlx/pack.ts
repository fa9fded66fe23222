// Writing MLX affine (layout.ts). Zeros become offsets, −zero · scale, rounded to the dtype of scales.
import { dtypeByName } from '@quern/blocks';
import { packCodes } from '../bit-codes.ts';
import {
  checkOptions,
  checkShape,
  checkWeight,
  columnsPerScale,
  moduleOf,
  scaleDTypeOf,
  zerosOf,
} from '../pack-checks.ts';
import type { GroupedRows } from '../packed-weight.ts';
import type { Packer, PackerLimits } from '../packer.ts';
import { encodeScales } from '../scales.ts';
import { BITS, GROUP_SIZES } from './layout.ts';

const format = 'mlx';
const scaleDType = dtypeByName('BF16');
const limits: PackerLimits = {
  bits: BITS,
  groupSizes: GROUP_SIZES,
  symmetric: [false, true],
  actOrder: false,
  rowsMultipleOf: 1,
  colsMultipleOf: 32,
  scaleDTypes: ['BF16', 'F16', 'F32'],
  minZero: 0,
};

export const mlxPacker: Packer = {
  format,
  scaleDType,
  limits,
  tensorsOf(name, shape, options) {
    checkShape(format, limits, name, shape, options);
    const [rows, cols] = shape;
    const groups = cols / columnsPerScale(options, cols);
    const module = moduleOf(name);
    const dtype = scaleDTypeOf(options, scaleDType);
    return [
      { part: 'weight', name, dtype: dtypeByName('U32'), shape: [rows, (cols * options.bits) / 32] },
      { part: 'scales', name: `${module}.scales`, dtype, shape: [rows, groups] },
      { part: 'biases', name: `${module}.biases`, dtype, shape: [rows, groups] },
    ];
  },
  pack(weight, options) {
    checkWeight(format, limits, weight, options);
    const { rows, cols, bits, codes, scales } = weight;
    const packed = new Uint8Array((rows * cols * bits) / 8);
    // Rows are whole words, so all of them are one stream.
    packCodes(codes, 0, codes.length, bits, packed);
    const dtype = scaleDTypeOf(options, scaleDType);
    return new Map([
      ['weight', packed],
      ['scales', encodeScales(scales, dtype, 'scales')],
      ['biases', encodeScales(weight.offsets ?? offsetsOf(weight), dtype, 'biases')],
    ]);
  },
  config(options) {
    checkOptions(format, limits, options);
    // Which modules are packed is what has scales.
    const quantization = { group_size: options.groupSize, bits: options.bits, mode: 'affine' };
    return { quantization_config: quantization, extraConfig: { quantization } };
  },
};

function offsetsOf(weight: GroupedRows): Float32Array {
  const zeros = zerosOf(weight);
  return weight.scales.map((scale, group) => -zeros[group] * scale);
}
