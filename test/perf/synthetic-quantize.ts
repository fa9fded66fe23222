// A whole model, end to end: quern quantize (its own process, start and disk included) against llama_model_quantize on
// the same file with the same threads. Interleaved runs; wall time of the fastest of each, since any other work on the
// machine takes from both. The bytes must be equal, metadata too.
//
//   npx tsx --conditions=source test/perf/synthetic-quantize.ts [--megabytes 4000] [--types Q4_K_M,Q8_0] [--runs 3]
//       [--threads 2] [--folder <scratch>]
//
// Needs a build (`npm run build`).
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { type FileTypeName, nativeQuantizeModel, oracleUnavailable } from '../oracle/src/index.ts';
import { syntheticCheckpoint } from './synthetic-checkpoint.mjs';

const { values } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '4000' },
    types: { type: 'string', default: 'Q4_K_M,Q8_0' },
    runs: { type: 'string', default: '3' },
    threads: { type: 'string', default: String(availableParallelism()) },
    folder: { type: 'string' },
  },
});
if (oracleUnavailable) throw new Error(oracleUnavailable);

const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'quern-quantize-perf-'));
const program = join(import.meta.dirname, '../../apps/quern/bin/quern.js');
const quern = (...args: string[]) => execFileSync(process.execPath, [program, ...args, '--force'], { stdio: 'pipe' });
const [model, ours, theirs] = ['model.gguf', 'ours.gguf', 'theirs.gguf'].map((name) => join(folder, name)) as [
  ...[string, string, string],
];
const checkpoint = join(folder, `checkpoint-${values.megabytes}`);
const bytes = await syntheticCheckpoint(checkpoint, Number(values.megabytes));
quern('convert', checkpoint, '-o', model);

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

function secondsOf(race: () => void): number {
  const start = performance.now();
  race();
  return (performance.now() - start) / 1000;
}

console.log(
  `${cpus()[0]?.model}, Node ${process.version}, ${values.threads} threads, ${(bytes / 1e9).toFixed(2)} GB of BF16`,
);
for (const type of values.types.split(',')) {
  const times = { quern: [] as number[], native: [] as number[] };
  for (let run = 0; run < Number(values.runs); run++) {
    for (const path of [ours, theirs]) rmSync(path, { force: true });
    times.native.push(
      secondsOf(() => nativeQuantizeModel(model, theirs, type as FileTypeName, { threads: Number(values.threads) })),
    );
    times.quern.push(
      secondsOf(() => quern('quantize', model, '--type', type, '-o', ours, '--threads', values.threads)),
    );
  }
  const same = (await sha256(ours)) === (await sha256(theirs));
  const [a, b] = [Math.min(...times.quern), Math.min(...times.native)];
  const ratio = (a / b).toFixed(2);
  console.log(
    `${type.padEnd(8)} quern ${a.toFixed(1)} s  native ${b.toFixed(1)} s  ratio ${ratio}  ${same ? 'same bytes' : 'BYTES DIFFER'}  load ${loadavg()[0]!.toFixed(1)}`,
  );
  if (!same) process.exitCode = 1;
}
rmSync(values.folder ? ours : folder, { recursive: true, force: true });
