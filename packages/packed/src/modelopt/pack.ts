// Writing ModelOpt INT4_AWQ (int4.ts), without pre_quant_scale: whoever smooths folds the factors into the layer
// before.
import { dtypeByName } from '@quern/blocks';
import { packerOf } from '../pack-format.ts';
import type { GroupedRows } from '../packed-weight.ts';
import type { Packer } from '../packer.ts';

export const modeloptPacker: Packer = packerOf({
  format: 'modelopt',
  limits: {
    bits: [4],
    groupSizes: [32, 64, 128],
    symmetric: [true],
    actOrder: false,
    rowsMultipleOf: 2,
    colsMultipleOf: 1,
    scaleDTypes: ['F16', 'BF16', 'F32'],
    minZero: 0,
    offsets: false,
    embedding: false,
  },
  usuallySymmetric: true,
  partsOf: ({ rows, cols, groups, scaleDType }) => [
    ['weight', dtypeByName('U8'), [rows / 2, cols]],
    ['weight_scale', scaleDType, [rows, groups]],
  ],
  pack: (weight) => ({ weight: packPairs(weight), weight_scale: weight.scales }),
  config(options, { plain }) {
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
});

function packPairs({ rows, cols, codes }: GroupedRows): Uint8Array {
  const packed = new Uint8Array((rows / 2) * cols);
  for (let pair = 0; pair < rows / 2; pair++) {
    const low = 2 * pair * cols;
    for (let c = 0; c < cols; c++) {
      packed[pair * cols + c] = (codes[low + c] ^ 8) | ((codes[low + cols + c] ^ 8) << 4);
    }
  }
  return packed;
}
