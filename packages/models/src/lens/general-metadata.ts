// The `general.*` keys that come from beside the weights: the suggested sampling of generation_config.json, what the model
// card says, and where it says nothing the name of the folder and the counted size label. They follow Metadata.load of
// gguf-py (docs/formats/conversion.md).
import { basename, resolve } from 'node:path';
import type { HfCheckpoint, TensorView } from '@quern/checkpoint';
import type { GgufScalarType, GgufValue } from '@quern/gguf';
import { parsePythonJson } from '@quern/source';
import { cardMetadata, readCard } from '../model-card/card-metadata.ts';
import { titleOf } from '../model-card/model-id.ts';

/** generation_config.json key(s) → `general.sampling.*`, in the order the converter writes them. */
export const samplingKeys: readonly [key: string, type: GgufScalarType, ...from: string[]][] = [
  ['sequence', 'string', 'sequence'],
  ['top_k', 'int32', 'top_k'],
  ['top_p', 'float32', 'top_p'],
  ['min_p', 'float32', 'min_p'],
  ['xtc_probability', 'float32', 'xtc_probability'],
  ['xtc_threshold', 'float32', 'xtc_threshold'],
  ['temp', 'float32', 'temperature'],
  ['penalty_last_n', 'int32', 'penalty_last_n'],
  ['penalty_repeat', 'float32', 'penalty_repeat', 'repetition_penalty'],
  ['mirostat', 'int32', 'mirostat'],
  ['mirostat_tau', 'float32', 'mirostat_tau'],
  ['mirostat_eta', 'float32', 'mirostat_eta'],
];

/** `general.sampling.*`; a broken generation_config.json is reported and otherwise ignored, as nothing else needs it. */
export async function samplingMetadata(
  checkpoint: HfCheckpoint,
  note: (text: string) => void,
): Promise<[string, GgufValue][]> {
  const text = await checkpoint.readText('generation_config.json');
  if (text === undefined) return [];
  let given: Record<string, unknown>;
  try {
    given = (parsePythonJson(text) ?? {}) as Record<string, unknown>;
  } catch {
    note('generation_config.json is not JSON: no sampling defaults are written');
    return [];
  }
  return samplingKeys.flatMap(([key, type, ...from]): [string, GgufValue][] => {
    const value = from.map((name) => given[name]).find((found) => found !== undefined && found !== null);
    if (value === undefined) return [];
    const whole = type === 'int32' ? Number.isInteger(value) : Number.isFinite(value);
    if (type === 'string' ? typeof value !== 'string' : !whole) {
      note(`generation_config.json: "${from[0]}" is ${JSON.stringify(value)}, which is left out`);
      return [];
    }
    const stored = type === 'float32' ? Math.fround(value as number) : (value as number | string);
    return [[`general.sampling.${key}`, { type, value: stored }]];
  });
}

/** `general.name` to `general.languages`. @param name given by hand */
export async function describingMetadata(
  checkpoint: HfCheckpoint,
  tensors: Parameters<typeof sizeLabel>[0],
  { name, note }: { name?: string; note: (text: string) => void },
): Promise<[string, GgufValue][]> {
  const fallback = { name: modelName(checkpoint.path), size_label: sizeLabel(tensors) };
  return cardMetadata(await readCard(checkpoint, note), { name, fallback, note });
}

/** `general.name`: the folder's name as a title; for a hub snapshot the repository's name. */
export function modelName(path: string): string {
  const repository = /models--[^/\\]+?--([^/\\]+)[/\\]snapshots[/\\][^/\\]+[/\\]?$/.exec(path)?.[1];
  return titleOf(repository ?? basename(resolve(path)));
}

/**
 * `general.size_label`: two significant digits or all before the point: 214K, 4.2M, 1.1B; with experts their number times
 * what is left with one of them: 8x7B (gguf-py `size_label`, `get_total_parameter_count`).
 */
export function sizeLabel(tensors: Iterable<Pick<TensorView, 'name' | 'shape' | 'rows' | 'cols'>>): string {
  let parameters = 0;
  let experts = 0;
  for (const { name, shape, rows, cols } of tensors) {
    const stacked = name.includes('_exps.') && shape.length === 3;
    if (stacked) experts = shape[0]!;
    parameters += (rows * cols) / (stacked ? shape[0]! : 1);
  }
  return (experts > 0 ? `${experts}x` : '') + roundedCount(parameters);
}

function roundedCount(parameters: number): string {
  const [scale, suffix] =
    parameters > 1e12 ? [1e-12, 'T'] : parameters > 1e9 ? [1e-9, 'B'] : parameters > 1e6 ? [1e-6, 'M'] : [1e-3, 'K'];
  const scaled = parameters * scale;
  const digits = String(Math.round(scaled)).replace(/^0+/, '').length;
  return `${scaled.toFixed(Math.max(2 - digits, 0))}${suffix}`;
}
