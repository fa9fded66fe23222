// AMD Quark: {quant_method: "quark", global_quant_config: {weight, input_tensors, output_tensors}, layer_quant_config,
// layer_type_quant_config: {<pattern>: the same}, kv_cache_quant_config}. Its packed weights are not read; checkpoints in which
// it rounded nothing but the KV cache are plain.
// Source: transformers src/transformers/utils/quantization_config.py (QuarkConfig), Quark's export.
import { refuseMethod } from '../refused.ts';
import type { Room } from '../scheme.ts';
import { isSettings, sectionOf } from '../settings.ts';

export const quark: Room = {
  method: 'quark',
  scheme(settings) {
    const all = [
      sectionOf(settings, 'global_quant_config'),
      ...Object.values(sectionOf(settings, 'layer_quant_config')),
      ...Object.values(sectionOf(settings, 'layer_type_quant_config')),
    ].filter(isSettings);
    const isPlain = Object.keys(all[0] ?? {}).length > 0 && all.every(({ weight }) => (weight ?? null) === null);
    return isPlain ? undefined : refuseMethod('quark');
  },
};
