// The flags of --type awq, gptq and rtn, and of --awq-scales.
import type { Flag } from '@quern/terminal';

export const layerTypes = ['awq', 'gptq', 'rtn'] as const;
export type LayerType = (typeof layerTypes)[number];

export const layerFlags: readonly Flag[] = [
  {
    flags: '--format <format>',
    description: 'how awq, gptq, rtn are packed (default: awq; gptq for gptq)',
    choices: ['awq', 'gptq', 'gptq_v2', 'compressed-tensors', 'mlx', 'modelopt'],
  },
  { flags: '--bits <count>', description: 'bits per code, where the format allows others (default: 4)' },
  { flags: '--group-size <count>', description: 'weights that share a scale: 32, 64 or 128 (default: 128)' },
  {
    flags: '--sym',
    description: 'no zero points (default in gptq, compressed-tensors, modelopt: what all their readers load)',
  },
  { flags: '--no-sym', description: 'zero points (default in awq, gptq_v2, mlx)' },
  { flags: '--no-clip', description: 'awq: leave out the search for clipping' },
  { flags: '--desc-act', description: 'gptq: columns in the order of their importance' },
  { flags: '--damp <share>', description: 'gptq: share of the mean diagonal added to it (default: 0.01)' },
  {
    flags: '--awq-scales [file]',
    description: "GGUF types: fold AWQ's scales in first, from this file, or computed and kept there",
  },
  { flags: '--samples <count>', description: 'calibration texts, or sequences of a plain text (default: 128)' },
  { flags: '--seq-len <tokens>', description: 'tokens per calibration sequence (default: 512)' },
  { flags: '--seed <number>', description: 'order of the calibration text' },
];

/** What a parser makes of `layerFlags`. */
export interface LayerFlagValues {
  format?: string;
  bits?: string;
  groupSize?: string;
  /** Undefined unless given: the format decides. */
  sym?: boolean;
  /** Of --no-clip: true unless given. */
  clip?: boolean;
  descAct?: boolean;
  damp?: string;
  awqScales?: string | true;
  samples?: string;
  seqLen?: string;
  seed?: string;
}

export const layerTypeOf = (type: string | undefined): LayerType | undefined =>
  layerTypes.find((known) => known === type?.toLowerCase());

/** Those that mean nothing with the type (undefined: a type of GGUF), as they are typed. */
export function strangeLayerFlags(values: LayerFlagValues, type: LayerType | undefined): string[] {
  const calibrated = values.awqScales === undefined ? (['awq', 'gptq'] as const) : [undefined];
  const given: [flag: string, given: boolean, types: readonly (LayerType | undefined)[]][] = [
    ['--format', values.format !== undefined, layerTypes],
    ['--bits', values.bits !== undefined, layerTypes],
    ['--group-size', values.groupSize !== undefined, layerTypes],
    [values.sym === false ? '--no-sym' : '--sym', values.sym !== undefined, layerTypes],
    ['--no-clip', values.clip === false, ['awq']],
    ['--desc-act', !!values.descAct, ['gptq']],
    ['--damp', values.damp !== undefined, ['gptq']],
    ['--awq-scales', values.awqScales !== undefined, [undefined]],
    ['--samples', values.samples !== undefined, calibrated],
    ['--seq-len', values.seqLen !== undefined, calibrated],
    ['--seed', values.seed !== undefined, calibrated],
  ];
  return given.flatMap(([flag, isGiven, types]) => (isGiven && !types.includes(type) ? [flag] : []));
}
