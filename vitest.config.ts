import { availableParallelism } from 'node:os';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import LongestFirst from './tools/longest-first.mjs';

/**
 * Files that take turns in a process: to load the modules of a package again for each takes longer than most of them. Those that measure
 * their process or start threads have one of their own.
 */
const together = ['packages/!(automix|awq|blocks|engine)/src/**/*.test.ts', 'apps/*/src/**/*.test.ts'];

// Tests import packages as source (the `source` export condition); the threads and commands that they start, and the .wasm files, come from a build.
const project = (
  name: string,
  own: { include: string[]; exclude?: string[]; isolate: boolean },
): TestProjectInlineConfiguration => ({
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'], externalConditions: ['source'] } },
  test: {
    name,
    ...own,
    exclude: ['**/node_modules/**', '**/dist/**', ...(own.exclude ?? [])],
    pool: 'forks',
    // It has a `source` of its own, in TypeScript that Node does not read.
    server: { deps: { inline: [/@ai-sdk/, /eventsource-parser/, /^ai$/, /node_modules\/ai\//] } },
    // As many as there are processors; vitest alone would leave one idle, which is half of a small machine.
    maxWorkers: availableParallelism(),
    // Bounds against a hang, not of speed: tests wait for states, and a machine may have much else to do.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 600_000 } },
  },
});

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    globalSetup: ['tools/build-before-tests.mjs'],
    projects: [
      project('alone', {
        include: ['{packages,apps}/*/src/**/*.test.ts', 'test/**/*.test.ts'],
        exclude: together,
        isolate: true,
      }),
      project('together', { include: together, isolate: false }),
    ],
  },
});
