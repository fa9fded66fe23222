// The flags of an automatic mixture: they take the place of --type.
import { QuernError } from '@quern/errors';
import type { Flag } from '@quern/terminal';

export const targetFlags: readonly Flag[] = [
  { flags: '--target-bpw <bits>', description: 'bits per weight of the tensor data; types are chosen by measuring' },
  { flags: '--target-size <size>', description: 'the same for the size of the file: 3.8G, 700MiB, or as Q4_K_M' },
  { flags: '--calibration <file>', description: "text to measure on (default: quern's own)" },
  { flags: '--calibration-ctx <tokens>', description: 'tokens per chunk of it (default: 512)' },
  { flags: '--calibration-chunks <count>', description: 'chunks to measure on (default: 16)' },
  { flags: '--types <list>', description: 'types to choose from: Q3_K,Q4_K,Q6_K (default: all that are worth it)' },
  {
    flags: '--measure <count>',
    description: 'types measured of each tensor; the others are predicted (default: 2)',
    choices: ['1', '2', 'all'],
  },
  { flags: '--measure-layers <n>', description: 'measure one of every N layers, and conclude from it on the others' },
  { flags: '--trials <count>', description: 'whole mixtures measured beside the predicted best (default: 8)' },
  { flags: '--sensitivity <file>', description: 'keep what is measured here (default: beside the output)' },
  { flags: '--save-tensor-types <file>', description: 'write the mixture for --tensor-type-file' },
];

/** What a parser makes of `targetFlags`. */
export interface TargetFlagValues {
  targetBpw?: string;
  targetSize?: string;
  calibration?: string;
  calibrationCtx?: string;
  calibrationChunks?: string;
  types?: string;
  measure?: '1' | '2' | 'all';
  measureLayers?: string;
  trials?: string;
  sensitivity?: string;
  saveTensorTypes?: string;
}

/** Flags that nothing but a target gives a meaning, by the names that a parser gives them. */
const onlyWithTarget: readonly (keyof TargetFlagValues)[] = [
  'types',
  'measure',
  'measureLayers',
  'trials',
  'sensitivity',
  'saveTensorTypes',
];

/** @throws QuernError `usage-target` */
export function refuseWithoutTarget(values: TargetFlagValues): void {
  const given = onlyWithTarget.find((key) => values[key] !== undefined);
  if (given === undefined) return;
  const flag = `--${given.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  throw new QuernError('usage-target', `${flag} means nothing without a target.`, {
    remedy: 'Add --target-bpw or --target-size, or drop it.',
  });
}

export const hasTarget = ({ targetBpw, targetSize }: TargetFlagValues): boolean =>
  targetBpw !== undefined || targetSize !== undefined;
