// config.json (and hf_quant_config.json) → how the weights are packed. One row per method in `rooms`.
import { awq } from './awq/scheme.ts';
import type { PackedScheme } from './packed-scheme.ts';
import { refuseMethod } from './refused.ts';
import { configInvalid, isSettings, type Settings } from './settings.ts';

/** A room: the names it answers to, and how it understands a configuration. */
export interface Room {
  readonly method: string;
  scheme(settings: Settings): PackedScheme;
}

const rooms: readonly Room[] = [awq];

/**
 * The scheme of a checkpoint, or undefined when nothing in its configuration speaks of quantization.
 *
 * @param config config.json
 * @param hfQuantConfig hf_quant_config.json, which ModelOpt writes
 * @throws QuernError `packed-method-unknown`, `packed-method-refused`, `packed-config-invalid`, `packed-config-conflict`
 */
export function schemeOf(config: Settings, hfQuantConfig?: Settings): PackedScheme | undefined {
  const settings = settingsOf(config);
  if (!settings && !hfQuantConfig) return undefined;
  const method = settings ? methodOf(settings) : 'modelopt';
  const room = rooms.find((row) => row.method === method);
  if (!room) return refuseMethod(method);
  return room.scheme(settings ?? {});
}

/** The object that speaks of quantization: of the model, else of its text part. */
function settingsOf(config: Settings): Settings | undefined {
  for (const place of [config, config.text_config]) {
    if (!isSettings(place)) continue;
    const value = place.quantization_config ?? place.compression_config ?? place.quantization;
    if (value === undefined || value === null) continue;
    return isSettings(value) ? value : configInvalid('it is no object.');
  }
  return undefined;
}

/** MLX names no method: it has a group size and bits only. */
function methodOf(settings: Settings): string {
  const { quant_method: method } = settings;
  if (typeof method === 'string') return method.toLowerCase().replace('_', '-');
  if (method === undefined && 'group_size' in settings && 'bits' in settings) return 'mlx';
  return configInvalid(`quant_method is ${JSON.stringify(method)}.`);
}
