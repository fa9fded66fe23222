// The relaxed kernels on Node before 24: the same tests in a process without the baseline compiler, which compiles relaxed
// dot products wrongly there. On Node 24 and newer those tests use the relaxed kernels themselves.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { hasRelaxed, relaxedFlags } from './relaxed-simd.ts';

const root = join(import.meta.dirname, '../..');
const tests = ['rounded-activations', 'batches'].map((name) => `test/conformance/${name}.test.ts`);
const why = `Node ${process.versions.node} runs them with relaxed SIMD itself`;
if (hasRelaxed) console.log(`Skipping a second run of the integer kernels: ${why}.`);

it.skipIf(hasRelaxed)(
  `the integer kernels give the same bits with relaxed SIMD${hasRelaxed ? ` (skipped: ${why})` : ''}`,
  () => {
    const vitest = join(root, 'node_modules/vitest/vitest.mjs');
    // Threads of one process: V8's flags hold for all of them.
    const run = [...relaxedFlags, vitest, 'run', '--pool=threads', '--reporter=json', ...tests];
    const { status, stdout, stderr } = spawnSync(process.execPath, run, {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
      env: { PATH: process.env.PATH, HOME: process.env.HOME, QUERN_TEST_RELAXED: '1' },
    });
    const { numPassedTests, testResults } = JSON.parse(stdout.slice(stdout.indexOf('{"')));
    const failed = (testResults as { assertionResults: { status: string; fullName: string }[] }[])
      .flatMap(({ assertionResults }) => assertionResults)
      .filter((test) => test.status === 'failed')
      .map(({ fullName }) => fullName);
    expect(failed, stderr).toEqual([]);
    expect(status, stderr).toBe(0);
    expect(numPassedTests).toBeGreaterThan(100);
  },
);
