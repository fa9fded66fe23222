// Builds every package in the order of its dependencies: turbo, which remembers what is built already, without its banner and
// its telemetry. A good build prints one line; a bad one everything that turbo and the compilers said.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);
const manifestPath = require.resolve('turbo/package.json');
const { bin } = JSON.parse(readFileSync(manifestPath, 'utf8'));
const turbo = join(dirname(manifestPath), bin.turbo);

console.log('Building the packages (the first time takes about a minute on two cores) …');
const started = performance.now();
const child = spawn(process.execPath, [turbo, 'run', 'build', '--output-logs=errors-only', '--no-update-notifier'], {
  cwd: join(import.meta.dirname, '..'),
  env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' },
  stdio: ['ignore', 'pipe', 'pipe'],
});
const said = [];
for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => said.push(chunk));
child.on('close', (code, signal) => {
  if (code !== 0) process.stderr.write(Buffer.concat(said));
  else console.log(`Built in ${Math.round((performance.now() - started) / 1000)} s.`);
  process.exitCode = code ?? (signal ? 1 : 0);
});
