// Types that a plan wants and that have no encoder (yet): the tests of plans run without it, those of bytes cannot.
import type { TranscodePool } from '@quern/blocks';
import { hasCodec } from '@quern/blocks';
import type { Plan } from '@quern/kquant';

const seen = new Map<string, number>();
process.on('exit', () => {
  const list = [...seen].map(([name, count]) => `${name} (${count})`);
  if (list.length > 0) console.warn(`Files not written for lack of an encoder: ${list.join(', ')}`);
});

/** Name of the first type that cannot be written, counted and printed in the end; undefined when all can. */
export function uncodable(plan: Plan, pool: TranscodePool): string | undefined {
  const missing = plan.tensors.find(({ from, to }) => from !== to && !(hasCodec(to) && pool.supports(from, to)))?.to
    .name;
  if (missing) seen.set(missing, (seen.get(missing) ?? 0) + 1);
  return missing;
}
