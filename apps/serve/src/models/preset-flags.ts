// The keys of a preset as the flags that they are.
import { nearest, QuernError } from '@quern/errors';
import type { Flag } from '@quern/terminal';
import { modelFlagGroups } from '../model-flags.ts';
import type { ModelFlags } from '../read-model-flags.ts';
import type { ModelSource } from './many-models.ts';
import type { PresetEntry, PresetSection } from './preset-file.ts';

/** A model that a preset names. */
export interface Preset {
  readonly name: string;
  /** What is loaded. */
  readonly model: string;
  /** What it is called wherever it may lie: a name of the hub. Default: `model`. */
  readonly reference?: string;
  /** Of its files, where they have been looked at. */
  readonly onDisk?: ModelSource['onDisk'];
  /** Of one that was found on the disk: what it needs to be there. */
  readonly files?: readonly string[];
  readonly aliases: readonly string[];
  /** Before anybody asks. */
  readonly loadOnStartup: boolean;
  readonly flags: ModelFlags;
}

/** As llama-server spells what has another name here. */
const spelledOtherwise = new Map(
  Object.entries({
    ...{ m: 'model', hf: 'model', 'hf-repo': 'model', 'model-url': 'model' },
    ...{ c: 'ctx-size', ctx: 'ctx-size', b: 'batch-size', np: 'parallel', t: 'threads', cram: 'cache-ram' },
    ...{ ngl: 'gpu-layers', 'n-gpu-layers': 'gpu-layers', sm: 'split-mode', dev: 'device', md: 'model-draft' },
    ...{ ctk: 'cache-type-k', ctv: 'cache-type-v', a: 'alias', 'draft-n': 'draft-max' },
  }),
);

const flagNamed = new Map(
  modelFlagGroups.flatMap(({ flags }) => flags.map((flag) => [/--([\w-]+)/.exec(flag.flags)![1]!, flag] as const)),
);
const own = ['model', 'alias', 'load-on-startup'];
/** llama-server's number of the format: there is one. */
const passedOver = ['version'];

/**
 * @param general of the command line and of the section for all; the section's own flags win
 * @throws QuernError `preset-unknown-key`, `preset-bad-value`
 */
export function readPreset({ name, entries }: PresetSection, general: ModelFlags, file: string): Preset {
  const flags: Record<string, unknown> = { ...general };
  const aliases: string[] = [];
  let model = name;
  let loadOnStartup = false;
  const given = new Set<string>();
  for (const entry of entries) {
    // Also as the variables of its environment: LLAMA_ARG_CTX_SIZE.
    const plainKey = entry.key
      .replace(/^LLAMA_ARG_/, '')
      .toLowerCase()
      .replaceAll('_', '-');
    const key = spelledOtherwise.get(plainKey) ?? plainKey;
    if (passedOver.includes(key)) continue;
    if (key === 'model') model = entry.value;
    else if (key === 'alias') aliases.push(...entry.value.split(',').map((alias) => alias.trim()));
    else if (key === 'load-on-startup') loadOnStartup = isOn(entry, name, file);
    else {
      const flag = flagNamed.get(key);
      if (!flag) throw unknownKey(entry, name, file);
      const property = key.replace(/-./g, (dash) => dash[1]!.toUpperCase());
      const value = flagValue(flag, entry, name, file);
      const before = flag.repeatable && given.has(key) ? (flags[property] as unknown[]) : [];
      flags[property] = flag.repeatable ? [...before, value] : value;
      given.add(key);
    }
  }
  return { name, model, aliases, loadOnStartup, flags: flags as unknown as ModelFlags };
}

function flagValue(flag: Flag, entry: PresetEntry, name: string, file: string): string | true | undefined {
  if (!flag.flags.includes('<')) return isOn(entry, name, file) || undefined;
  if (!flag.choices || flag.choices.includes(entry.value)) return entry.value;
  throw badValue(entry, name, file, `one of ${flag.choices.join(', ')}`);
}

function isOn(entry: PresetEntry, name: string, file: string): boolean {
  if (/^(1|true|on|yes)$/i.test(entry.value)) return true;
  if (/^(0|false|off|no)$/i.test(entry.value)) return false;
  throw badValue(entry, name, file, 'true or false');
}

const placeOf = ({ line }: PresetEntry, name: string): string =>
  `[${name}]${line === undefined ? '' : ` (line ${line})`}`;

const badValue = (entry: PresetEntry, name: string, file: string, wanted: string): QuernError =>
  new QuernError('preset-bad-value', `${placeOf(entry, name)}: ${entry.key} must be ${wanted}, not '${entry.value}'.`, {
    file,
  });

function unknownKey(entry: PresetEntry, name: string, file: string): QuernError {
  const keys = [...own, ...flagNamed.keys()];
  const similar = nearest(entry.key, keys);
  return new QuernError(
    'preset-unknown-key',
    `${placeOf(entry, name)}: there is no key ${JSON.stringify(entry.key)}.`,
    {
      file,
      remedy: similar.length > 0 ? `Did you mean ${similar.join(' or ')}?` : `There are ${keys.join(', ')}.`,
    },
  );
}
