// GPTQ's quantization_config: {quant_method: "gptq", bits, group_size, desc_act, sym, checkpoint_format, …}.
import { refuseVariant } from '../refused.ts';
import type { Room } from '../scheme.ts';
import { flagOf, groupSizeOf, integerOf, sectionOf, wordOf } from '../settings.ts';
import { BITS } from './layout.ts';
import { openGptq } from './open.ts';

export const gptq: Room = {
  method: 'gptq',
  scheme(settings) {
    const format = wordOf(settings, 'checkpoint_format', wordOf(settings, 'format', 'gptq'));
    if ((format !== 'gptq' && format !== 'gptq_v2') || settings.is_marlin_format === true) {
      refuseVariant(`GPTQ in the ${settings.is_marlin_format === true ? 'marlin' : format} layout`, again);
    }
    if (wordOf(settings, 'pack_dtype', 'int32') !== 'int32') refuseVariant('GPTQ with words other than int32', again);
    // Keys that begin with "-:" only leave modules out, which then have no packed tensors.
    const changed = Object.keys(sectionOf(settings, 'dynamic')).find((rule) => !rule.startsWith('-:'));
    if (changed) refuseVariant(`GPTQ with other settings for ${JSON.stringify(changed)} ("dynamic")`, again);
    const options = {
      bits: integerOf(settings, 'bits', BITS),
      groupSize: groupSizeOf(settings, 'group_size', true),
      // Where nothing is said, zeros are read: that is right either way.
      symmetric: flagOf(settings, 'sym', false),
      actOrder: flagOf(settings, 'desc_act', false),
      storesZeroMinusOne: format === 'gptq',
    };
    const groups = options.groupSize === -1 ? 'one group per row' : `groups of ${options.groupSize}`;
    return {
      method: 'gptq',
      description: `GPTQ ${format === 'gptq' ? 'v1' : 'v2'}, ${options.bits} bits, ${groups}${options.actOrder ? ', act-order' : ''}`,
      open: (tensors, tiles) => openGptq(tensors, tiles, options),
    };
  },
};

const again = 'Quantize again with checkpoint_format "gptq" or "gptq_v2" and the same settings for all modules.';
