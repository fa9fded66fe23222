// Starts worker threads. Their files are JavaScript: those of a build, also where the caller runs from source, as it does in
// tests. A loader of TypeScript in every thread would take longer than most tests (Node 20 has none of its own).
import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * Starts `file` (a URL relative to the caller, e.g. `new URL('./pool-worker.ts', import.meta.url)`) as a worker.
 * Pass the extension of the source: `.ts` is turned into `.js`, and `src` into `dist` when the caller runs from source.
 */
export function spawnWorker(file: URL, callerUrl: string, options: WorkerOptions = {}): Worker {
  const built = file.href.replace(/\.ts$/, '.js');
  if (!callerUrl.endsWith('.ts')) return new Worker(new URL(built), options);
  const inDist = built.replace(/^(.*)\/src\//, '$1/dist/');
  // No flags of the process: its loader and its `--conditions=source` are for the source.
  return new Worker(new URL(inDist), { ...options, execArgv: [] });
}
