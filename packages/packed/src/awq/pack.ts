// Writing AWQ "gemm" (layout.ts).
import { dtypeByName } from '@quern/blocks';
import {
  bytesOf,
  checkOptions,
  checkShape,
  checkWeight,
  columnsPerScale,
  moduleOf,
  scaleDTypeOf,
  turned,
  zerosOf,
} from '../pack-checks.ts';
import type { Packer, PackerLimits } from '../packer.ts';
import { encodeScales } from '../scales.ts';
import { BITS, PER_WORD, SHIFT_OF } from './layout.ts';

const format = 'awq';
const words = dtypeByName('I32');
const scaleDType = dtypeByName('F16');
const limits: PackerLimits = {
  bits: [BITS],
  groupSizes: [32, 64, 128, -1],
  symmetric: [false, true],
  actOrder: false,
  rowsMultipleOf: PER_WORD,
  colsMultipleOf: 1,
  scaleDTypes: ['F16', 'BF16', 'F32'],
  minZero: 0,
};

export const awqPacker: Packer = {
  format,
  scaleDType,
  limits,
  tensorsOf(name, shape, options) {
    checkShape(format, limits, name, shape, options);
    const [rows, cols] = shape;
    const groups = cols / columnsPerScale(options, cols);
    const module = moduleOf(name);
    return [
      { part: 'qweight', name: `${module}.qweight`, dtype: words, shape: [cols, rows / PER_WORD] },
      { part: 'qzeros', name: `${module}.qzeros`, dtype: words, shape: [groups, rows / PER_WORD] },
      { part: 'scales', name: `${module}.scales`, dtype: scaleDTypeOf(options, scaleDType), shape: [groups, rows] },
    ];
  },
  pack(weight, options) {
    checkWeight(format, limits, weight, options);
    const { rows, cols, codes, scales } = weight;
    const groups = scales.length / rows;
    const dtype = scaleDTypeOf(options, scaleDType);
    return new Map([
      ['qweight', packTurned(codes, rows, cols)],
      ['qzeros', packTurned(zerosOf(weight), rows, groups)],
      ['scales', encodeScales(turned(scales, rows, groups), dtype, 'scales')],
    ]);
  },
  config(options, { packed, plain }) {
    checkOptions(format, limits, options);
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
};

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
