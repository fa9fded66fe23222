// The flags that `quern convert` and `quern quantize` share, as data: each command adds them to its parser. Names and
// meanings are those of llama-quantize where it has them.

import type { Flag } from '@quern/terminal';

export const quantizeFlags: readonly Flag[] = [
  {
    flags: '--imatrix <file>',
    description: 'importance matrix; auto measures it first (auto=FILE: into that file)',
  },
  { flags: '--include-weights <part>', description: 'use it for tensors with this in their name', repeatable: true },
  { flags: '--exclude-weights <part>', description: 'use it for all but those', repeatable: true },
  { flags: '--pure', description: 'no mixture: every matrix gets the same type' },
  {
    flags: '--tensor-type <re=type>',
    description: 'type of the tensors whose name the expression fits (@FILE: a list)',
    repeatable: true,
  },
  { flags: '--tensor-type-file <file>', description: 'the same as --tensor-type @FILE', repeatable: true },
  { flags: '--token-embedding-type <type>', description: 'type of the token embedding' },
  { flags: '--output-tensor-type <type>', description: 'type of output.weight' },
  { flags: '--leave-output-tensor', description: 'output.weight keeps its type' },
  { flags: '--prune-layers <list>', description: 'layers to leave out: 3,4,10' },
  {
    flags: '--override-kv <key=type:value>',
    description: 'set metadata; types are int, float, bool, str',
    repeatable: true,
  },
];

export const writeFlags: readonly Flag[] = [
  { flags: '-t, --threads <n>', description: 'threads (default: all); the bytes do not depend on it' },
  { flags: '--strict', description: 'refuse a plan in which a tensor falls back to another type' },
  { flags: '--force', description: 'replace an existing output file' },
  { flags: '--allow-non-finite', description: 'write NaN and infinities instead of refusing them' },
  {
    flags: '--on-overflow <policy>',
    description: 'numbers beyond the range of F16: refuse them, or inf as llama.cpp does',
    choices: ['refuse', 'inf'],
    default: 'refuse',
  },
  { flags: '--shard <i/n>', description: 'write part I of N alone; quern merge puts the parts together' },
  {
    flags: '--verify [bound]',
    description: 'compare what was written with the source; fail above this relative RMSE (default: 1)',
  },
  { flags: '--dry-run', description: 'print the plan and write nothing' },
  { flags: '--json', description: 'print one JSON document on stdout, progress as JSON lines on stderr' },
];

/** What a parser makes of `quantizeFlags`. */
export interface QuantizeFlagValues {
  imatrix?: string;
  includeWeights?: readonly string[];
  excludeWeights?: readonly string[];
  pure?: boolean;
  tensorType?: readonly string[];
  tensorTypeFile?: readonly string[];
  tokenEmbeddingType?: string;
  outputTensorType?: string;
  leaveOutputTensor?: boolean;
  pruneLayers?: string;
  overrideKv?: readonly string[];
}

/** What a parser makes of `writeFlags`. */
export interface WriteFlagValues {
  threads?: string;
  strict?: boolean;
  force?: boolean;
  allowNonFinite?: boolean;
  onOverflow?: 'refuse' | 'inf';
  shard?: string;
  verify?: boolean | string;
  dryRun?: boolean;
  json?: boolean;
}

/** Which of `quantizeFlags` were given, as they are typed. */
export const quantizeFlagsGiven = (values: QuantizeFlagValues): string[] =>
  Object.entries(quantizeFlagKeys)
    .filter(([key]) => values[key as keyof QuantizeFlagValues] !== undefined)
    .map(([, flag]) => flag);

const quantizeFlagKeys: Readonly<Record<string, string>> = Object.fromEntries(
  quantizeFlags.map(({ flags }) => {
    const [flag] = flags.split(' ') as [string];
    return [flag.slice(2).replace(/-(.)/g, (_, letter: string) => letter.toUpperCase()), flag];
  }),
);
