// What `quern run` lets a person set: by flag at the start, by /set during the chat. One row each.
import type { SamplingOptions } from '@quern/engine';
import { nearest, QuernError } from '@quern/errors';

export interface Settings {
  readonly sampling: SamplingOptions;
  /** Most tokens of a reply; undefined: until the model ends it, or the context is full. */
  readonly maxTokens?: number;
  /** What the template knows as `enable_thinking`; undefined: as the template thinks fit. */
  readonly think?: boolean;
}

/** llama.cpp's, as in its own chat program. */
export const usualSettings: Settings = { sampling: { temperature: 0.8, topK: 40, topP: 0.95, minP: 0.05 } };

interface Row {
  /** As /set and messages call it; the flag is the same behind two dashes. */
  readonly name: string;
  readonly range: string;
  apply(settings: Settings, text: string): Settings | undefined;
  shown(settings: Settings): string;
}

function sampling(name: string, key: keyof SamplingOptions, min: number, max: number, whole = false): Row {
  return {
    name,
    range: `a ${whole ? 'whole ' : ''}number from ${min}${max === Number.MAX_SAFE_INTEGER ? '' : ` to ${max}`}`,
    apply: (settings, text) => {
      const value = numberIn(text, min, max, whole);
      return value === undefined ? undefined : { ...settings, sampling: { ...settings.sampling, [key]: value } };
    },
    shown: (settings) => String(settings.sampling[key] ?? 'not set'),
  };
}

export const settingRows: readonly Row[] = [
  sampling('temp', 'temperature', 0, 100),
  sampling('top-k', 'topK', 0, 1_000_000, true),
  sampling('top-p', 'topP', 0, 1),
  sampling('min-p', 'minP', 0, 1),
  sampling('repeat-penalty', 'repetitionPenalty', 0.01, 100),
  sampling('presence-penalty', 'presencePenalty', -2, 2),
  sampling('frequency-penalty', 'frequencyPenalty', -2, 2),
  sampling('seed', 'seed', 0, Number.MAX_SAFE_INTEGER, true),
  {
    name: 'n-predict',
    range: 'a whole number from 1, or -1: until the model ends its reply',
    apply: (settings, text) => {
      if (text === '-1') return { ...settings, maxTokens: undefined };
      const maxTokens = numberIn(text, 1, 1 << 30, true);
      return maxTokens === undefined ? undefined : { ...settings, maxTokens };
    },
    shown: ({ maxTokens = -1 }) => String(maxTokens),
  },
  {
    name: 'think',
    range: 'on or off',
    apply: (settings, text) => (/^(on|off)$/.test(text) ? { ...settings, think: text === 'on' } : undefined),
    shown: ({ think }) => (think === undefined ? 'as the template has it' : think ? 'on' : 'off'),
  },
];

function numberIn(text: string, min: number, max: number, whole: boolean): number | undefined {
  const value = /^-?(\d+(\.\d*)?|\.\d+)(e-?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  return value >= min && value <= max && (!whole || Number.isInteger(value)) ? value : undefined;
}

/** @throws QuernError `usage-unknown-setting`, `usage-bad-number` */
export function withSetting(settings: Settings, name: string, text: string): Settings {
  const row = settingRows.find((known) => known.name === name);
  if (row === undefined) {
    const names = settingRows.map((known) => known.name);
    const [similar] = nearest(name, names);
    throw new QuernError('usage-unknown-setting', `There is no setting ${JSON.stringify(name)}.`, {
      remedy: similar === undefined ? `There are ${names.join(', ')}.` : `Did you mean ${similar}?`,
    });
  }
  const changed = row.apply(settings, text);
  if (changed) return changed;
  throw new QuernError('usage-bad-number', `--${name} must be ${row.range}, not '${text}'.`);
}

export const describeSettings = (settings: Settings): string =>
  settingRows.map((row) => `${row.name} ${row.shown(settings)}`).join(', ');
