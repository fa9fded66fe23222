import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import LongestFirst from './tools/longest-first.mjs';

// Tests import packages as source (the `source` export condition); the threads and commands that they start, and the .wasm files, come from a build.
export default defineConfig({
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'], externalConditions: ['source'] } },
  test: {
    pool: 'forks',
    sequence: { sequencer: LongestFirst },
    globalSetup: ['tools/build-before-tests.mjs'],
    // It has a `source` of its own, in TypeScript that Node does not read.
    server: { deps: { inline: [/@ai-sdk/, /eventsource-parser/, /^ai$/, /node_modules\/ai\//] } },
    // As many as there are processors; vitest alone would leave one idle, which is half of a small machine.
    maxWorkers: availableParallelism(),
    include: ['packages/*/src/**/*.test.ts', 'apps/*/src/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    // Bounds against a hang, not of speed: tests wait for states, and a machine may have much else to do.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 300_000 } },
  },
});
