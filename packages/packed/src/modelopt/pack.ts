// Writing ModelOpt INT4_AWQ (int4.ts), without pre_quant_scale: whoever smooths folds the factors into the layer
// before.
import { dtypeByName } from '@quern/blocks';
import { checkOptions, checkShape, checkWeight, columnsPerScale, moduleOf, scaleDTypeOf } from '../pack-checks.ts';
import type { Packer, PackerLimits } from '../packer.ts';
import { encodeScales } from '../scales.ts';

const format = 'modelopt';
const scaleDType = dtypeByName('F16');
const limits: PackerLimits = {
  bits: [4],
  groupSizes: [32, 64, 128],
  symmetric: [true],
  actOrder: false,
  rowsMultipleOf: 2,
  colsMultipleOf: 1,
  scaleDTypes: ['F16', 'BF16', 'F32'],
  minZero: 0,
};

export const modeloptPacker: Packer = {
  format,
  scaleDType,
  limits,
  tensorsOf(name, shape, options) {
    checkShape(format, limits, name, shape, options);
    const [rows, cols] = shape;
    const groups = cols / columnsPerScale(options, cols);
    const dtype = scaleDTypeOf(options, scaleDType);
    return [
      { part: 'weight', name, dtype: dtypeByName('U8'), shape: [rows / 2, cols] },
      { part: 'weight_scale', name: `${moduleOf(name)}.weight_scale`, dtype, shape: [rows, groups] },
    ];
  },
  pack(weight, options) {
    checkWeight(format, limits, weight, options);
    const { rows, cols, codes, scales } = weight;
    const packed = new Uint8Array((rows / 2) * cols);
    for (let pair = 0; pair < rows / 2; pair++) {
      const low = 2 * pair * cols;
      for (let c = 0; c < cols; c++) {
        packed[pair * cols + c] = (codes[low + c] ^ 8) | ((codes[low + cols + c] ^ 8) << 4);
      }
    }
    return new Map([
      ['weight', packed],
      ['weight_scale', encodeScales(scales, scaleDTypeOf(options, scaleDType), 'weight_scale')],
    ]);
  },
  config(options, { plain }) {
    checkOptions(format, limits, options);
    const quantization = {
      quant_algo: 'W4A16_AWQ',
      kv_cache_quant_algo: null,
      group_size: options.groupSize,
      has_zero_point: false,
      pre_quant_scale: false,
      exclude_modules: plain,
    };
    const weights = { dynamic: false, num_bits: 4, type: 'int', group_size: options.groupSize };
    const producer = { name: 'modelopt', version: '0.47.0' };
    return {
      quantization_config: {
        quant_method: 'modelopt',
        quant_algo: 'W4A16_AWQ',
        group_size: options.groupSize,
        config_groups: { group_0: { targets: ['Linear'], weights } },
        ignore: plain,
        producer,
      },
      sideFiles: new Map([['hf_quant_config.json', { producer, quantization }]]),
    };
  },
};
