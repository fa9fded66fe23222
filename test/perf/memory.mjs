// Peak memory of convert and quantize on large synthetic checkpoints, and on one tensor that is as large (a stack of 256
// experts): it must not grow with either.
//
//   node test/perf/memory.mjs [--sizes 500,4000] [--experts 4000] [--limit 512] [--folder <scratch>] [--json]
//
// Needs a build (`npm run build`). Exits with 1 when a peak is above the limit (MiB).
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { syntheticCheckpoint } from './synthetic-checkpoint.mjs';
import { syntheticExperts } from './synthetic-experts.mjs';

const { values } = parseArgs({
  options: {
    experts: { type: 'string', default: '4000' },
    sizes: { type: 'string', default: '500,4000' },
    limit: { type: 'string', default: '512' },
    folder: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const limitMiB = Number(values.limit);
const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'quern-memory-'));
mkdirSync(folder, { recursive: true });
const child = join(import.meta.dirname, 'measured-command.mjs');

/** Runs a command in a process of its own, which says at its end how much memory it ever had. */
function peakOf(command, args) {
  const { status, stderr } = spawnSync(process.execPath, [child, command, ...args, '--force'], { encoding: 'utf8' });
  const measured = /^measured (\d+) (\d+)$/m.exec(stderr);
  if (status !== 0 || !measured) throw new Error(`${command} ${args.join(' ')} failed: ${stderr}`);
  return { peakMiB: Math.round(Number(measured[1]) / 1024), seconds: Number(measured[2]) / 1000 };
}

const rows = [];
const sizes = (list) => list.split(',').filter(Boolean).map(Number);
for (const megabytes of sizes(values.sizes)) {
  const checkpoint = join(folder, `checkpoint-${megabytes}`);
  const bytes = await syntheticCheckpoint(checkpoint, megabytes);
  const gguf = join(folder, 'model.gguf');
  const small = join(folder, 'small.gguf');
  const measure = (what, command, args) => rows.push({ what, input: bytes, ...peakOf(command, args) });
  measure('convert to BF16', 'convert', [checkpoint, '-o', gguf]);
  measure('convert to Q4_K_M', 'convert', [checkpoint, '--type', 'Q4_K_M', '-o', small]);
  measure('quantize to Q4_K_M', 'quantize', [gguf, '--type', 'Q4_K_M', '-o', small]);
  measure('quantize to Q8_0', 'quantize', [gguf, '--type', 'Q8_0', '-o', small]);
}
for (const megabytes of sizes(values.experts)) {
  const [stack, imatrix, small] = ['experts', 'imatrix', 'small'].map((name) => join(folder, `${name}.gguf`));
  const bytes = await syntheticExperts(stack, imatrix, megabytes);
  const measure = (what, args) => {
    rows.push({ what, input: bytes, ...peakOf('quantize', [stack, '-o', small, ...args]) });
    rmSync(small, { force: true });
  };
  measure('experts to Q8_0', ['--type', 'Q8_0']);
  measure('experts to Q4_K_M', ['--type', 'Q4_K_M']);
  measure('… imatrix, --verify', ['--type', 'Q4_K_M', '--imatrix', imatrix, '--verify']);
  rmSync(stack);
}
if (!values.folder) rmSync(folder, { recursive: true, force: true });

const machine = { cpu: cpus()[0]?.model, threads: availableParallelism(), node: process.version };
if (values.json) console.log(JSON.stringify({ machine, limitMiB, rows }, null, 2));
else {
  console.log(`${machine.cpu}, ${machine.threads} threads, Node ${machine.node}`);
  for (const { what, input, peakMiB, seconds } of rows) {
    console.log(`${what.padEnd(20)} ${(input / 1e9).toFixed(2)} GB  peak ${peakMiB} MiB  ${seconds.toFixed(1)} s`);
  }
}
const over = rows.filter(({ peakMiB }) => peakMiB > limitMiB);
if (over.length > 0) {
  console.error(`${over.length} of ${rows.length} peaks are above ${limitMiB} MiB`);
  process.exitCode = 1;
}
