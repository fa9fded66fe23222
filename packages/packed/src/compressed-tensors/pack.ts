// Writing compressed-tensors pack-quantized (layout.ts).
import { dtypeByName } from '@quern/blocks';
import { packCodes } from '../bit-codes.ts';
import {
  bytesOf,
  checkOptions,
  checkShape,
  checkWeight,
  columnsPerScale,
  moduleOf,
  scaleDTypeOf,
} from '../pack-checks.ts';
import type { GroupedRows } from '../packed-weight.ts';
import type { PackedPart, Packer, PackerLimits } from '../packer.ts';
import { encodeScales } from '../scales.ts';

const format = 'compressed-tensors';
const words = dtypeByName('I32');
const scaleDType = dtypeByName('BF16');
const limits: PackerLimits = {
  bits: [4, 8],
  groupSizes: [32, 64, 128, -1],
  symmetric: [true, false],
  // compressed-tensors 0.20 no longer knows actorder "group".
  actOrder: false,
  rowsMultipleOf: 1,
  colsMultipleOf: 1,
  scaleDTypes: ['BF16', 'F16', 'F32'],
  minZero: 0,
};

const wordsFor = (count: number, bits: number): number => Math.ceil((count * bits) / 32);

export const compressedTensorsPacker: Packer = {
  format,
  scaleDType,
  limits,
  tensorsOf(name, shape, options) {
    checkShape(format, limits, name, shape, options);
    const [rows, cols] = shape;
    const { bits, symmetric } = options;
    const groups = cols / columnsPerScale(options, cols);
    const module = moduleOf(name);
    const part = (own: string, dtype: PackedPart['dtype'], size: readonly number[]): PackedPart => ({
      part: own,
      name: `${module}.${own}`,
      dtype,
      shape: size,
    });
    return [
      part('weight_packed', words, [rows, wordsFor(cols, bits)]),
      part('weight_scale', scaleDTypeOf(options, scaleDType), [rows, groups]),
      part('weight_shape', dtypeByName('I64'), [2]),
      ...(symmetric ? [] : [part('weight_zero_point', words, [wordsFor(rows, bits), groups])]),
    ];
  },
  pack(weight, options) {
    checkWeight(format, limits, weight, options);
    const { rows, cols, scales } = weight;
    const parts = new Map([
      ['weight_packed', packRows(weight)],
      ['weight_scale', encodeScales(scales, scaleDTypeOf(options, scaleDType), 'weight_scale')],
      ['weight_shape', new Uint8Array(BigInt64Array.of(BigInt(rows), BigInt(cols)).buffer)],
    ]);
    if (!options.symmetric) parts.set('weight_zero_point', packZeros(weight));
    return parts;
  },
  config(options, { plain }) {
    checkOptions(format, limits, options);
    const wholeRow = options.groupSize === -1;
    const weights = {
      num_bits: options.bits,
      type: 'int',
      symmetric: options.symmetric,
      strategy: wholeRow ? 'channel' : 'group',
      group_size: wholeRow ? null : options.groupSize,
      actorder: null,
      block_structure: null,
      dynamic: false,
      observer: 'minmax',
      observer_kwargs: {},
    };
    return {
      quantization_config: {
        quant_method: 'compressed-tensors',
        format: 'pack-quantized',
        quantization_status: 'compressed',
        config_groups: {
          group_0: { targets: ['Linear'], weights, input_activations: null, output_activations: null },
        },
        ignore: plain,
        kv_cache_scheme: null,
      },
    };
  },
};

function packRows({ rows, cols, bits, codes }: GroupedRows): Uint8Array {
  const across = wordsFor(cols, bits);
  const packed = new Uint32Array(rows * across);
  for (let r = 0; r < rows; r++) {
    packCodes(codes, r * cols, cols, bits, bytesOf(packed.subarray(r * across, (r + 1) * across)));
  }
  return bytesOf(packed);
}

/** Zeros [rows, groups] → words [⌈rows · b / 32⌉, groups], a stream down each column. */
function packZeros({ rows, bits, scales, zeros }: GroupedRows): Uint8Array {
  const groups = scales.length / rows;
  const perWord = 32 / bits;
  const packed = new Uint32Array(wordsFor(rows, bits) * groups);
  for (let r = 0; r < rows; r++) {
    for (let g = 0; g < groups; g++) {
      const zero = zeros ? zeros[r * groups + g] : 2 ** (bits - 1);
      packed[Math.floor(r / perWord) * groups + g] |= zero << ((r % perWord) * bits);
    }
  }
  return bytesOf(packed);
}
