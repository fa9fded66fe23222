// Writing AWQ "gemm" (layout.ts).
import { dtypeByName } from '@quern/blocks';
import { bytesOf, turned, zerosOf } from '../pack-checks.ts';
import { packerOf } from '../pack-format.ts';
import type { Packer } from '../packer.ts';
import { BITS, PER_WORD, SHIFT_OF } from './layout.ts';

const words = dtypeByName('I32');

export const awqPacker: Packer = packerOf({
  format: 'awq',
  limits: {
    bits: [BITS],
    groupSizes: [32, 64, 128, -1],
    symmetric: [false, true],
    actOrder: false,
    rowsMultipleOf: PER_WORD,
    colsMultipleOf: 1,
    scaleDTypes: ['F16', 'BF16', 'F32'],
    minZero: 0,
    offsets: false,
    embedding: false,
  },
  usuallySymmetric: false,
  partsOf: ({ rows, cols, groups, scaleDType }) => [
    ['qweight', words, [cols, rows / PER_WORD]],
    ['qzeros', words, [groups, rows / PER_WORD]],
    ['scales', scaleDType, [groups, rows]],
  ],
  pack: (weight, { rows, cols, groups }) => ({
    qweight: packTurned(weight.codes, rows, cols),
    qzeros: packTurned(zerosOf(weight), rows, groups),
    scales: turned(weight.scales, rows, groups),
  }),
  config(options, { packed, plain }) {
    // Loaders leave a module out when its name CONTAINS an entry: `mlp.gate` would take `mlp.gate_proj` with it.
    // lm_head is left out anyway.
    const left = plain.filter((name) => name !== 'lm_head' && !packed.some((other) => other.includes(name)));
    return {
      quantization_config: {
        quant_method: 'awq',
        version: 'gemm',
        bits: BITS,
        group_size: options.groupSize,
        zero_point: true,
        modules_to_not_convert: left.length > 0 ? left : null,
      },
    };
  },
});

/** Codes [rows, cols] → words [cols, rows / 8]. */
function packTurned(codes: Uint8Array, rows: number, cols: number): Uint8Array {
  const across = rows / PER_WORD;
  const packed = new Uint32Array(cols * across);
  for (let word = 0; word < across; word++) {
    for (let c = 0; c < cols; c++) {
      let held = 0;
      for (let k = 0; k < PER_WORD; k++) held |= codes[(word * PER_WORD + k) * cols + c] << SHIFT_OF[k];
      packed[c * across + word] = held;
    }
  }
  return bytesOf(packed);
}
