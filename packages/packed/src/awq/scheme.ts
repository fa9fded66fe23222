// AWQ's quantization_config: {quant_method: "awq", version: "gemm", bits: 4, group_size, zero_point,
// modules_to_not_convert}.

import { refuseVariant } from '../refused.ts';
import type { Room } from '../scheme.ts';
import { configInvalid, flagOf, groupSizeOf, integerOf, wordOf } from '../settings.ts';
import { openAwq } from './open.ts';

export const awq: Room = {
  method: 'awq',
  scheme(settings) {
    const version = wordOf(settings, 'version', wordOf(settings, 'format', 'gemm'));
    if (version !== 'gemm') {
      refuseVariant(`AWQ in the ${version} layout`, 'Quantize to version "gemm", or convert with AutoAWQ.');
    }
    const bitsKey = 'bits' in settings ? 'bits' : 'w_bit';
    const groupKey = 'group_size' in settings ? 'group_size' : 'q_group_size';
    integerOf(settings, bitsKey, [4]);
    const groupSize = groupSizeOf(settings, groupKey, true);
    if (!flagOf(settings, 'zero_point', true))
      configInvalid('zero_point is false, and the gemm layout always has zeros.');
    return {
      method: 'awq',
      description: `AWQ gemm, 4 bits, ${groupSize === -1 ? 'one group per row' : `groups of ${groupSize}`}`,
      open: async (tensors, tiles) => openAwq(tensors, tiles, groupSize),
    };
  },
};
