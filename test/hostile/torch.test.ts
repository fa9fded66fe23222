// Files of torch.save with random damage: each is refused with a QuernError, or its tensors lie inside the file.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openTorch } from '@quern/torch';
import { expect, test } from 'vitest';
import { damagedFile } from './damaged-file.ts';
import { outcomeOf, tally } from './outcome.ts';

const golden = join(import.meta.dirname, '../golden/data/torch');
const runs = 3000;

test.each(['module.bin', 'views.bin', 'protocol-4.bin', 'legacy.bin', 'deflated.bin', 'zip64.bin'])(
  '%s, damaged',
  async (name) => {
    const good = readFileSync(join(golden, name));
    const counts = await tally(runs, (seed) =>
      outcomeOf(async () => {
        const source = damagedFile(good, 0, seed);
        const { tensors } = await openTorch(source);
        const opened = [...tensors.values()].map(({ dtype, shape, begin, end, source: its }) => ({
          ...{ dtype, shape, begin, end },
          fileSize: its.size,
        }));
        for (const { source: its, begin, end } of tensors.values()) await its.read(begin, end - begin);
        return opened;
      }),
    );
    // Most of a small file is structure: damage is found in many ways, and some of it hits numbers only.
    expect(counts.get('open')).toBeGreaterThan(runs / 100);
    expect(counts.size).toBeGreaterThan(4);
  },
);
