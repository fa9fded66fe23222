// What a request gets that does not say it: the samplers' flags of llama-server, in its spellings.
import type { Flag } from '@quern/terminal';
import type { samplingFields } from './generate/sampling-fields.ts';

export interface SamplingFlag {
  readonly flags: string;
  readonly description: string;
  readonly field: keyof typeof samplingFields;
  readonly read?: (text: string) => unknown;
}

/** One row each; read-sampling-flags.ts says what they mean. */
export const samplingTable = [
  { flags: '--seed <number>', field: 'seed', description: 'seed (default: random)' },
  { flags: '--temp <number>', field: 'temperature', description: 'temperature (default: 1)' },
  { flags: '--top-k <count>', field: 'top_k', description: 'the most likely so many; 0: all' },
  { flags: '--top-p <share>', field: 'top_p', description: 'the most likely that make up this share' },
  { flags: '--min-p <share>', field: 'min_p', description: 'those with this share of the likeliest one’s' },
  { flags: '--typical <share>', field: 'typical_p', description: 'locally typical ones' },
  { flags: '--repeat-penalty <factor>', field: 'repeat_penalty', description: 'against repetitions; 1: none' },
  { flags: '--repeat-last-n <count>', field: 'repeat_last_n', description: 'tokens that penalties look at; -1: all' },
  { flags: '--presence-penalty <number>', field: 'presence_penalty', description: 'against tokens of the reply' },
  { flags: '--frequency-penalty <number>', field: 'frequency_penalty', description: 'the same, for each time' },
  { flags: '--dry-multiplier <number>', field: 'dry_multiplier', description: 'DRY against repetitions; 0: off' },
  { flags: '--dry-base <number>', field: 'dry_base', description: 'its base' },
  { flags: '--dry-allowed-length <count>', field: 'dry_allowed_length', description: 'what it lets pass' },
  { flags: '--dry-penalty-last-n <count>', field: 'dry_penalty_last_n', description: 'tokens that it looks at' },
  { flags: '--xtc-probability <share>', field: 'xtc_probability', description: 'XTC: how often; 0: off' },
  { flags: '--xtc-threshold <share>', field: 'xtc_threshold', description: 'XTC: above which probability' },
  { flags: '--top-n-sigma <number>', field: 'top_n_sigma', description: 'those within so many deviations; -1: off' },
  { flags: '--dynatemp-range <number>', field: 'dynatemp_range', description: 'temperature by entropy; 0: off' },
  { flags: '--dynatemp-exp <number>', field: 'dynatemp_exponent', description: 'its exponent' },
  { flags: '--mirostat <version>', field: 'mirostat', description: 'Mirostat 1 or 2 in place of others; 0: off' },
  { flags: '--mirostat-ent <number>', field: 'mirostat_tau', description: 'its entropy (tau)' },
  { flags: '--mirostat-lr <number>', field: 'mirostat_eta', description: 'its learning rate (eta)' },
  {
    flags: '--adaptive-target <share>',
    field: 'adaptive_target',
    description: 'tokens near this probability; -1: off',
  },
  { flags: '--adaptive-decay <share>', field: 'adaptive_decay', description: 'how slowly it adapts' },
  {
    flags: '--samplers <list>',
    field: 'samplers',
    description: 'names in their order, separated by semicolons',
    read: (text) => text.split(';'),
  },
] as const satisfies readonly SamplingFlag[];

type FlagName = 'seed' | 'temp' | 'samplers' | 'typical';
/** As a parser makes them: in camel case. */
export type SamplingFlags = { [Name in FlagName]?: string } & { nPredict?: string } & Record<string, unknown>;

export const samplingFlags: readonly Flag[] = [
  ...samplingTable.map(({ flags, description }) => ({ flags, description })),
  { flags: '-n, --n-predict <count>', description: 'most tokens of a reply; -1: to the end of the context' },
];
