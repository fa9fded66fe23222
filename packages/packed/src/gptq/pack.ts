// Writing GPTQ, v1 and v2 (layout.ts).
import { dtypeByName } from '@quern/blocks';
import { packCodes } from '../bit-codes.ts';
import { bytesOf, turned, zerosOf } from '../pack-checks.ts';
import { packerOf } from '../pack-format.ts';
import type { GroupedRows } from '../packed-weight.ts';
import type { Packer } from '../packer.ts';
import { BITS } from './layout.ts';

const words = dtypeByName('I32');

/** @param zeroShift what is taken from zeros before they are stored */
const gptqPacker = (format: 'gptq' | 'gptq_v2', zeroShift: 0 | 1): Packer =>
  packerOf({
    format,
    limits: {
      bits: BITS,
      groupSizes: [32, 64, 128, -1],
      symmetric: [false, true],
      actOrder: true,
      rowsMultipleOf: 32,
      colsMultipleOf: 32,
      scaleDTypes: ['F16', 'BF16', 'F32'],
      minZero: zeroShift,
      offsets: false,
      embedding: false,
    },
    usuallySymmetric: zeroShift === 1,
    remark: ({ symmetric }) =>
      symmetric || zeroShift === 0
        ? undefined
        : 'GPTQModel loads zero points of this format only from itself: --format gptq_v2 has them for all, or --sym leaves them out.',
    partsOf: ({ rows, cols, groups, scaleDType }, { bits }) => [
      ['qweight', words, [(cols * bits) / 32, rows]],
      ['qzeros', words, [groups, (rows * bits) / 32]],
      ['scales', scaleDType, [groups, rows]],
      ['g_idx', words, [cols]],
    ],
    pack: (weight, { rows, groups }) => ({
      qweight: packDown(weight),
      qzeros: packZeros(weight, zeroShift),
      scales: turned(weight.scales, rows, groups),
      g_idx: groupIndex(weight),
    }),
    config(options, { plain }, { trueSequential, damp }) {
      const settings = {
        bits: options.bits,
        group_size: options.groupSize,
        desc_act: options.actOrder ?? false,
        sym: options.symmetric,
        lm_head: false,
        static_groups: false,
        true_sequential: trueSequential,
        ...(damp !== undefined && { damp_percent: damp }),
        checkpoint_format: format,
        pack_dtype: 'int32',
        // GPTQModel and vLLM leave out what matches a rule with "-:".
        ...(plain.some((name) => name !== 'lm_head') && {
          dynamic: Object.fromEntries(plain.filter((name) => name !== 'lm_head').map(leftOut)),
        }),
      };
      return {
        quantization_config: { quant_method: 'gptq', ...settings },
        sideFiles: new Map([['quantize_config.json', { quant_method: 'gptq', ...settings }]]),
      };
    },
  });

const leftOut = (name: string): [string, unknown] => [`-:^${name.replaceAll('.', '\\.')}$`, {}];

export const gptqV1Packer: Packer = gptqPacker('gptq', 1);
export const gptqV2Packer: Packer = gptqPacker('gptq_v2', 0);

/** Codes [rows, cols] → words [cols · b / 32, rows], a stream down each column. */
function packDown({ rows, cols, bits, codes }: GroupedRows): Uint8Array {
  const down = (cols * bits) / 32;
  const packed = new Uint32Array(down * rows);
  const stream = new Uint32Array(down);
  for (let r = 0; r < rows; r++) {
    packCodes(codes, r * cols, cols, bits, bytesOf(stream));
    for (let w = 0; w < down; w++) packed[w * rows + r] = stream[w];
  }
  return bytesOf(packed);
}

/** Zeros [rows, groups] → words [groups, rows · b / 32], a stream along each row. */
function packZeros(weight: GroupedRows, zeroShift: number): Uint8Array {
  const { rows, bits, scales } = weight;
  const zeros = zerosOf(weight);
  const groups = scales.length / rows;
  const across = (rows * bits) / 32;
  const packed = new Uint32Array(groups * across);
  const line = new Uint8Array(rows);
  for (let g = 0; g < groups; g++) {
    for (let r = 0; r < rows; r++) line[r] = zeros[r * groups + g] - zeroShift;
    packCodes(line, 0, rows, bits, bytesOf(packed.subarray(g * across, (g + 1) * across)));
  }
  return bytesOf(packed);
}

function groupIndex({ cols, groupSize, groupOf }: GroupedRows): Uint8Array {
  const index = groupOf ?? Int32Array.from({ length: cols }, (_, column) => Math.floor(column / groupSize));
  return new Uint8Array(index.slice().buffer);
}
