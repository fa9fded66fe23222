// What decides the figures of an evaluation, besides the models: two runs may share their windows only when all of it is
// equal.
import { QuernError } from '@quern/errors';
import type { Shard } from '../windows/window-plan.ts';

export interface EvaluationSettings {
  readonly profile: string | null;
  readonly contextTokens: number | null;
  readonly strideTokens: number | null;
  /** The limit that the user set. */
  readonly maxWindows: number | null;
  /** SHA-256 of the text, or of the tokens of a base file. */
  readonly text: string | null;
  /** Fingerprint of the base model, or SHA-256 of what identifies a base file. */
  readonly base: string | null;
  /** How the CPU multiplies: rounded activations give other figures. */
  readonly activations: string;
  /** What keys and values were rounded to; null, as in states of older versions: they were F32. */
  readonly cacheTypes?: string | null;
  /** Metadata set for this run, as JSON; null: the models' own. */
  readonly override?: string | null;
  /** Number of tasks and SHA-256 of their files, by the name of the set. */
  readonly tasks: Readonly<Record<string, { readonly sha256: string; readonly count: number }>>;
}

const names: Record<keyof EvaluationSettings, string> = {
  profile: 'profile',
  contextTokens: 'context',
  strideTokens: 'stride',
  maxWindows: 'limit of windows',
  text: 'text',
  base: 'base',
  activations: 'activations',
  cacheTypes: 'types of the KV cache',
  override: 'metadata set for the run',
  tasks: 'tasks',
};

/** A limit, a base, a shard that nobody asked for. */
const shown = (json: string): string => (json === 'null' ? 'none' : json);

/** @throws QuernError `refused-settings-differ` naming the first setting that differs */
export function requireSameSettings(
  wanted: EvaluationSettings & { shard?: Shard },
  found: EvaluationSettings & { shard?: Shard },
  file: string,
): void {
  for (const key of [...(Object.keys(names) as (keyof EvaluationSettings)[]), 'shard'] as const) {
    const [one, other] = [JSON.stringify(found[key] ?? null), JSON.stringify(wanted[key] ?? null)];
    if (one === other) continue;
    const what = key === 'shard' ? 'shard' : names[key];
    throw new QuernError(
      'refused-settings-differ',
      `The state was measured with another ${what}: ${shown(one)}, not ${shown(other)}.`,
      {
        file,
        remedy: 'Use the same settings, or another file for --state.',
      },
    );
  }
}
