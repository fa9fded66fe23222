// vitest's global setup. Tests import packages as source, but the commands and worker threads that they start, and the kernels,
// are those of a build: builds what changed (under a second when nothing did), before each rerun of a watch too.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const build = () => execFileSync(process.execPath, [join(import.meta.dirname, 'build.mjs')], { stdio: 'inherit' });

export default function setup(project) {
  build();
  project.onTestsRerun(build);
}
