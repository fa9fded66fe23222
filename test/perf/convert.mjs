// quern convert against `cp` of the same checkpoint: what converting costs beyond moving the bytes. Interleaved runs, a
// median each. `cp` leaves its bytes to the page cache; quern also waits until they are on the disk, so `cp` followed by
// `sync` of its file is shown too.
//
//   node test/perf/convert.mjs [--megabytes 500] [--runs 7] [--folder <scratch>] [--json]
//
// Needs a build (`npm run build`).
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { syntheticCheckpoint } from './synthetic-checkpoint.mjs';

const { values } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '500' },
    runs: { type: 'string', default: '7' },
    folder: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'quern-convert-perf-'));
const checkpoint = join(folder, `checkpoint-${values.megabytes}`);
const bytes = await syntheticCheckpoint(checkpoint, Number(values.megabytes));
const weights = readdirSync(checkpoint)
  .filter((name) => name.endsWith('.safetensors'))
  .map((name) => join(checkpoint, name));
const output = join(folder, 'out');
const quern = join(import.meta.dirname, '../../apps/quern/bin/quern.js');

const contestants = {
  cp: () => execFileSync('cp', [...weights, output]),
  'cp and sync': () => {
    execFileSync('cp', [...weights, output]);
    execFileSync(
      'sync',
      readdirSync(output).map((name) => join(output, name)),
    );
  },
  'quern convert': () =>
    execFileSync(process.execPath, [quern, 'convert', checkpoint, '-o', join(output, 'out.gguf')], { stdio: 'pipe' }),
  'quern convert --type Q8_0': () =>
    execFileSync(process.execPath, [quern, 'convert', checkpoint, '--type', 'Q8_0', '-o', join(output, 'out.gguf')], {
      stdio: 'pipe',
    }),
};

const times = Object.fromEntries(Object.keys(contestants).map((name) => [name, []]));
for (let run = 0; run <= Number(values.runs); run++) {
  for (const [name, race] of Object.entries(contestants)) {
    // Everyone writes into an empty folder: removing the last file is nobody's work.
    rmSync(output, { recursive: true, force: true });
    execFileSync('mkdir', [output]);
    const start = performance.now();
    race();
    // The first round fills the page cache.
    if (run > 0) times[name].push(performance.now() - start);
  }
}
rmSync(values.folder ? output : folder, { recursive: true, force: true });

const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
const rows = Object.entries(times).map(([name, list]) => ({
  name,
  seconds: median(list) / 1000,
  timesCp: median(list) / median(times.cp),
  // Disks are shared and caches fill up: the best run says what the work itself takes.
  bestSeconds: Math.min(...list) / 1000,
  bestTimesCp: Math.min(...list) / Math.min(...times.cp),
}));
const machine = { cpu: cpus()[0]?.model, threads: availableParallelism(), node: process.version };
if (values.json) console.log(JSON.stringify({ machine, bytes, rows }, null, 2));
else {
  console.log(
    `${machine.cpu}, ${machine.threads} threads, Node ${machine.node}, ${(bytes / 1e6).toFixed(0)} MB of BF16`,
  );
  for (const { name, seconds, timesCp, bestSeconds, bestTimesCp } of rows) {
    const best = `best ${bestSeconds.toFixed(2)} s  ${bestTimesCp.toFixed(2)} × cp`;
    console.log(`${name.padEnd(26)} median ${seconds.toFixed(2)} s  ${timesCp.toFixed(2)} × cp   ${best}`);
  }
}
