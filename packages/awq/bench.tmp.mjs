import { calibrationSequences, quantizeModel } from '@quern/awq';
import { openModel } from '@quern/models';

const view = await openModel('/tmp/awq/big');
const sequences = await calibrationSequences(view, { samples: 4, sequenceTokens: 512 });
const t0 = performance.now();
await quantizeModel(
  view,
  '/tmp/awq/out/big',
  {
    format: 'awq',
    bits: 4,
    groupSize: 128,
    symmetric: false,
    method: { name: process.argv[2] ?? 'awq', clip: true, actOrder: false, damp: 0.01 },
    sequences,
  },
  { force: true, threads: 2, onPreflight: (n) => console.log(JSON.stringify(n)) },
);
console.log('wall', ((performance.now() - t0) / 1000).toFixed(1), 'rss', process.resourceUsage().maxRSS / 1024, 'MiB');
