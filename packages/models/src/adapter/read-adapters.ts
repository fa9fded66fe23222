// What the flags of adapters say (flags.ts).
import { QuernError } from '@quern/errors';

export interface AdapterOptions {
  readonly lora?: readonly string[];
  readonly loraScaled?: readonly string[];
  readonly loraInitWithoutApply?: boolean;
}

export interface AdapterRequest {
  readonly path: string;
  readonly scale: number;
}

/** Those of --lora, then those of --lora-scaled; lists with commas are llama.cpp's. @throws QuernError `usage-lora` */
export function readAdapters({ lora = [], loraScaled = [], loraInitWithoutApply }: AdapterOptions): AdapterRequest[] {
  const all = [
    ...items('--lora', lora).map((path) => ({ path, scale: 1 })),
    ...items('--lora-scaled', loraScaled).map((item) => scaledPath(item, '--lora-scaled')),
  ];
  return loraInitWithoutApply ? all.map(({ path }) => ({ path, scale: 0 })) : all;
}

/** `FILE` or `FILE:SCALE`, to be merged; the scale is 1 when not given. @throws QuernError `usage-lora` */
export const readMergedAdapters = ({ lora = [] }: Pick<AdapterOptions, 'lora'>): AdapterRequest[] =>
  lora.map((item) => (endsWithScale.test(item) ? scaledPath(item, '--lora') : { path: item, scale: 1 }));

function items(flag: string, given: readonly string[]): string[] {
  const all = given.flatMap((value) => value.split(','));
  if (all.includes('')) throw new QuernError('usage-lora', `${flag} has an empty name.`);
  return all;
}

const endsWithScale = /^(.+):([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)$/i;

function scaledPath(item: string, flag: string): AdapterRequest {
  const [, path, scale] = endsWithScale.exec(item) ?? [];
  if (path === undefined || Math.abs(Number(scale)) > mostScale)
    throw new QuernError(
      'usage-lora',
      `${flag} ${item}: FILE:SCALE is expected, the scale from -${mostScale} to ${mostScale}.`,
      {
        remedy: `For example ${flag} adapter.gguf:0.5.`,
      },
    );
  return { path, scale: Number(scale) };
}

/** Adapters are made for scales around 1; what is far beyond overflows. */
const mostScale = 1e4;
