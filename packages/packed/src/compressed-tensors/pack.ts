// Writing compressed-tensors pack-quantized (layout.ts).
import { dtypeByName } from '@quern/blocks';
import { packCodes } from '../bit-codes.ts';
import { bytesOf } from '../pack-checks.ts';
import { packerOf } from '../pack-format.ts';
import type { GroupedRows } from '../packed-weight.ts';
import type { Packer } from '../packer.ts';

const words = dtypeByName('I32');

const wordsFor = (count: number, bits: number): number => Math.ceil((count * bits) / 32);

export const compressedTensorsPacker: Packer = packerOf({
  format: 'compressed-tensors',
  limits: {
    bits: [4, 8],
    groupSizes: [32, 64, 128, -1],
    symmetric: [true, false],
    // compressed-tensors 0.20 no longer knows actorder "group".
    actOrder: false,
    rowsMultipleOf: 1,
    colsMultipleOf: 1,
    scaleDTypes: ['BF16', 'F16', 'F32'],
    minZero: 0,
    offsets: false,
    embedding: false,
  },
  usuallySymmetric: true,
  remark: ({ symmetric }) =>
    symmetric
      ? undefined
      : 'transformers 5.24 with compressed-tensors 0.20 does not load zero points, vLLM does: --sym leaves them out.',
  partsOf: ({ rows, cols, groups, scaleDType }, { bits, symmetric }) => [
    ['weight_packed', words, [rows, wordsFor(cols, bits)]],
    ['weight_scale', scaleDType, [rows, groups]],
    ['weight_shape', dtypeByName('I64'), [2]],
    ...(symmetric ? [] : [['weight_zero_point', words, [wordsFor(rows, bits), groups]] as const]),
  ],
  pack: (weight, { rows, cols }, { symmetric }) => ({
    weight_packed: packRows(weight),
    weight_scale: weight.scales,
    weight_shape: new Uint8Array(BigInt64Array.of(BigInt(rows), BigInt(cols)).buffer),
    ...(!symmetric && { weight_zero_point: packZeros(weight) }),
  }),
  config(options, { plain }) {
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
});

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
