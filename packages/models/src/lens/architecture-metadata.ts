// `<arch>.*` keys of GGUF from the values of config.json, in the order of the record.
import type { GgufMetadata } from '@quern/gguf';
import type { Architecture } from '../arch/architecture.ts';
import { configError, isAbsent, show } from '../arch/config-error.ts';
import { isMade, type Json } from '../arch/config-rule.ts';
import { type ConfigValues, ggufValue } from './config-reader.ts';
import { type PlainFileType, plainFileTypes } from './dtype-policy.ts';
import { type RopeOfModel, ropeMetadata } from './rope-parameters.ts';

export function addArchitectureKeys(
  metadata: GgufMetadata,
  architecture: Architecture,
  values: ConfigValues,
  rope: RopeOfModel | undefined,
  fileType: PlainFileType,
  { unwritten = false }: { unwritten?: boolean } = {},
): void {
  for (const rule of architecture.config) {
    if (rule === 'fileType') {
      metadata.set('general.file_type', { type: 'uint32', value: plainFileTypes[fileType] });
    } else if (rule === 'rope') {
      if (rope)
        for (const [key, value] of ropeMetadata(rope, architecture.rope))
          metadata.set(`${architecture.name}.${key}`, value);
    } else {
      const value = values.get(rule);
      if (value === undefined || (!unwritten && isMade(rule) && rule.unwritten)) continue;
      for (const key of rule.gguf) metadata.set(`${architecture.name}.${key}`, ggufValue(rule, value));
    }
  }
}

/**
 * The converter drops Mistral's window, and llama.cpp ignores the key for `llama`: both attend to everything, which
 * differs from the model beyond the window. quern writes the window down and keeps to it.
 */
export function ownWindow(config: Json, { slidingWindow }: Architecture, contextLength: number): number | undefined {
  if (!slidingWindow) return undefined;
  const window: unknown = config.sliding_window;
  if (isAbsent(window)) return undefined;
  if (typeof window !== 'number' || !Number.isInteger(window) || window <= 0)
    throw configError(`"sliding_window" is ${show(window)}`);
  return window < contextLength ? window : undefined;
}
