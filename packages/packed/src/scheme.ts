// config.json (and hf_quant_config.json) → how the weights are packed. One row per method in `rooms`.
import { QuernError } from '@quern/errors';
import { awq } from './awq/scheme.ts';
import { compressedTensors } from './compressed-tensors/scheme.ts';
import { deepseek4 } from './deepseek4/scheme.ts';
import { fbgemmFp8, fp8 } from './fp8/scheme.ts';
import { gptq } from './gptq/scheme.ts';
import { mlx } from './mlx/scheme.ts';
import { modelopt } from './modelopt/scheme.ts';
import { mxfp4 } from './mxfp4/scheme.ts';
import type { PackedScheme } from './packed-scheme.ts';
import { quark } from './quark/scheme.ts';
import { refuseMethod } from './refused.ts';
import { configInvalid, isSettings, type Settings, sectionOf } from './settings.ts';

/** A room: the names it answers to, and how it understands a configuration. */
export interface Room {
  readonly method: string;
  /**
   * Undefined when only activations or the KV cache are quantized: then weights are plain.
   * @param hfQuantConfig hf_quant_config.json, which is ModelOpt's
   */
  scheme(settings: Settings, hfQuantConfig?: Settings): PackedScheme | undefined;
}

const rooms: readonly Room[] = [awq, gptq, compressedTensors, mlx, modelopt, fp8, fbgemmFp8, mxfp4, quark, deepseek4];

/**
 * Files that say it where config.json says nothing, and the method that is meant when they name none: those of AutoGPTQ
 * and of AutoAWQ before transformers knew either.
 */
export const standaloneConfigs: ReadonlyMap<string, string> = new Map([
  ['quantize_config.json', 'gptq'],
  ['quant_config.json', 'awq'],
]);

/**
 * The scheme of a checkpoint, or undefined when nothing in its configuration speaks of quantized weights.
 *
 * @param config config.json
 * @param hfQuantConfig hf_quant_config.json, which ModelOpt writes
 * @throws QuernError `packed-method-unknown`, `packed-method-refused`, `packed-config-invalid`,
 *   `packed-config-conflict`
 */
export function schemeOf(config: Settings, hfQuantConfig?: Settings): PackedScheme | undefined {
  const settings = settingsOf(config);
  const experts = expertsIn(config, settings);
  if (!settings && !experts && !quantizesWeights(hfQuantConfig)) return undefined;
  const method = experts ?? (settings ? methodOf(settings) : 'modelopt');
  const room = rooms.find((row) => row.method === method);
  if (!room) return refuseMethod(method);
  if (hfQuantConfig && room !== modelopt) {
    throw new QuernError(
      'packed-config-conflict',
      `config.json says ${method}, and there is ModelOpt's hf_quant_config.json.`,
      {
        file: 'hf_quant_config.json',
        remedy: 'Keep the one that the tensors were made with.',
      },
    );
  }
  return room.scheme(settings ?? {}, hfQuantConfig);
}

const sections = ['quantization_config', 'compression_config', 'quantization'] as const;

/** config.json without what speaks of quantization. */
export function withoutQuantization(config: Settings): Settings {
  const kept = Object.entries(config).filter(([key]) => !(sections as readonly string[]).includes(key));
  const text = config.text_config;
  return { ...Object.fromEntries(kept), ...(isSettings(text) && { text_config: withoutQuantization(text) }) };
}

/** ModelOpt also writes its file when only the KV cache is to be narrow. */
const quantizesWeights = (hfQuantConfig: Settings | undefined): boolean =>
  hfQuantConfig !== undefined && (sectionOf(hfQuantConfig, 'quantization').quant_algo ?? null) !== null;

/** The object that speaks of quantization: of the model, else of its text part. */
function settingsOf(config: Settings): Settings | undefined {
  for (const place of [config, config.text_config]) {
    if (!isSettings(place)) continue;
    const value = sections.map((key) => place[key]).find((found) => found !== undefined && found !== null);
    if (value === undefined) continue;
    if (!isSettings(value)) return configInvalid('it is no object.');
    proveSame(place.quantization_config, place.quantization);
    return value;
  }
  return undefined;
}

/** MLX writes the same under two names. @throws QuernError `packed-config-conflict` when an edit made them differ */
function proveSame(one: unknown, other: unknown): void {
  if (!isSettings(one) || !isSettings(other)) return;
  for (const key of ['bits', 'group_size', 'mode']) {
    if ((one[key] ?? other[key]) === (other[key] ?? one[key])) continue;
    throw new QuernError('packed-config-conflict', `quantization_config and quantization disagree about ${key}.`, {
      file: 'config.json',
      remedy: 'Keep the one that the tensors were made with.',
    });
  }
}

/** DeepSeek V4 says beside the rest what its experts are: then that decides how the checkpoint is read. */
const expertsIn = (config: Settings, settings: Settings | undefined): string | undefined =>
  [config.expert_dtype, settings?.expert_dtype].includes('fp4') ? deepseek4.method : undefined;

/** MLX names no method: it has a group size and bits only. */
function methodOf(settings: Settings): string {
  const { quant_method: method } = settings;
  if (typeof method === 'string') return method.toLowerCase();
  if (method === undefined && 'group_size' in settings && 'bits' in settings) return 'mlx';
  if (method === undefined && ('load_in_4bit' in settings || 'load_in_8bit' in settings)) return 'bitsandbytes';
  return configInvalid(`quant_method is ${JSON.stringify(method)}.`);
}
