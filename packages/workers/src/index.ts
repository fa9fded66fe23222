// Starts worker threads. A package's worker file is plain JavaScript after a build, but TypeScript when tests run on
// source; Node 20 cannot run that by itself, so there the worker first registers tsx (a development dependency).
import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * Starts `file` (a URL relative to the caller, e.g. `new URL('./pool-worker.ts', import.meta.url)`) as a worker.
 * Pass the extension of the source: when the caller itself runs from a build, `.ts` is turned into `.js`.
 */
export function spawnWorker(file: URL, callerUrl: string, options: WorkerOptions = {}): Worker {
  if (!callerUrl.endsWith('.ts')) return new Worker(new URL(file.href.replace(/\.ts$/, '.js')), options);
  const [loader, entry] = ['tsx/esm/api', file.href].map((name) => JSON.stringify(name));
  const boot = `import(${loader}).then(({register})=>{register();return import(${entry})})`;
  return new Worker(boot, { ...options, eval: true, execArgv: ['--conditions=source'] });
}
