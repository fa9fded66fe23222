// NVIDIA ModelOpt: hf_quant_config.json {producer, quantization: {quant_algo, group_size, exclude_modules,
// quantized_layers}}, or the same in config.json's quantization_config {quant_method: "modelopt", quant_algo, …}.
// Source: modelopt/torch/export/{quant_utils,unified_export_hf,convert_hf_config}.py, version 0.47.
import { QuernError } from '@quern/errors';
import type { PackedWeight } from '../packed-weight.ts';
import { refuseVariant } from '../refused.ts';
import type { Room } from '../scheme.ts';
import { configInvalid, groupSizeOf, isSettings, type Settings, sectionOf } from '../settings.ts';
import { type Algorithm, algorithms } from './algorithms.ts';

export const modelopt: Room = {
  method: 'modelopt',
  scheme(settings, hfQuantConfig) {
    const whole = joined(settings, hfQuantConfig && sectionOf(hfQuantConfig, 'quantization'));
    if ((whole.quant_algo ?? null) === null && roundsTheCache(whole)) return undefined;
    const name = algorithmName(whole);
    const layers = new Map(
      Object.entries(sectionOf(whole, 'quantized_layers')).map(([module, layer]) => [
        module,
        isSettings(layer) ? read(layer, whole) : configInvalid(`quantized_layers.${module} is no object.`),
      ]),
    );
    if (name === 'MIXED_PRECISION' && layers.size === 0) configInvalid('MIXED_PRECISION needs quantized_layers.');
    const usual = name === 'MIXED_PRECISION' ? undefined : read(whole, whole);
    return {
      method: 'modelopt',
      description: `ModelOpt ${name}`,
      async open(tensors) {
        const weights: PackedWeight[] = [];
        for (const [scaleName, scales] of tensors) {
          const module = /^(.+)\.weight_scale$/.exec(scaleName)?.[1];
          if (module === undefined) continue;
          const layer = layers.get(module) ?? usual;
          if (!layer) return configInvalid(`quantized_layers do not say how ${module} is packed.`);
          weights.push(await layer.algorithm({ module, scales, tensors, groupSize: layer.groupSize }));
        }
        return weights;
      },
    };
  },
};

/** `kv_cache_quant_algo` of its own file, `kv_cache_scheme` of config.json. */
const roundsTheCache = ({ kv_cache_quant_algo: algorithm, kv_cache_scheme: scheme }: Settings): boolean =>
  typeof algorithm === 'string' || isSettings(scheme);

interface Layer {
  readonly algorithm: Algorithm;
  readonly groupSize: number;
}

function read(layer: Settings, whole: Settings): Layer {
  const name = algorithmName(layer);
  if (!Object.hasOwn(algorithms, name)) {
    refuseVariant(`ModelOpt's ${name}`, `Read are ${Object.keys(algorithms).join(', ')}.`);
  }
  if ((layer.has_zero_point ?? whole.has_zero_point) === true)
    refuseVariant('ModelOpt with zero points', 'Export it without.');
  const { algorithm, usualGroup } = algorithms[name];
  const groups = usualGroup === undefined ? {} : { group_size: layer.group_size ?? whole.group_size };
  return { algorithm, groupSize: groupSizeOf(groups, 'group_size', true, usualGroup ?? -1) };
}

function algorithmName(settings: Settings): string {
  const { quant_algo: name } = settings;
  return typeof name === 'string' ? name.toUpperCase() : configInvalid(`quant_algo is ${JSON.stringify(name)}.`);
}

/** Both files say the same, or one says all. @throws QuernError `packed-config-conflict` */
function joined(settings: Settings, side: Settings | undefined): Settings {
  if (!side) return settings;
  for (const key of ['quant_algo', 'group_size']) {
    const [a, b] = [settings[key] ?? side[key], side[key] ?? settings[key]];
    if (a === b) continue;
    throw new QuernError(
      'packed-config-conflict',
      `config.json says ${key} ${JSON.stringify(a)}, hf_quant_config.json ${JSON.stringify(b)}.`,
      { file: 'hf_quant_config.json', remedy: 'Keep the one that the tensors were made with.' },
    );
  }
  return { ...settings, ...side };
}
