// `--max-shard-size`, as transformers' `max_shard_size` is written: a number with KB, MB, GB (of 1000) or KiB, MiB, GiB.
import { QuernError } from '@quern/errors';

const units: Readonly<Record<string, number>> = {
  ...{ '': 1, b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12 },
  ...{ kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30, tib: 2 ** 40 },
};

/** @throws QuernError `usage-max-shard-size` */
export function parseShardSize(text: string): number {
  const [, number, unit = ''] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(text) ?? [];
  const bytes = Math.floor(Number(number) * (units[unit.toLowerCase()] ?? Number.NaN));
  if (bytes >= 1 && Number.isSafeInteger(bytes)) return bytes;
  throw new QuernError('usage-max-shard-size', `'${text}' is no size of a file.`, {
    remedy: 'Write for example 5GB, 500MB or 2GiB.',
  });
}
