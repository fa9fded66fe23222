// Starts worker threads. A package's worker file is plain JavaScript after a build, but TypeScript when tests run on
// source; Node 20 cannot run that by itself, so there the worker first registers tsx (a development dependency).
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * Starts `file` (a URL relative to the caller, e.g. `new URL('./pool-worker.ts', import.meta.url)`) as a worker.
 * Pass the extension of the source: when the caller itself runs from a build, `.ts` is turned into `.js`.
 */
export function spawnWorker(file: URL, callerUrl: string, options: WorkerOptions = {}): Worker {
  if (!callerUrl.endsWith('.ts')) return new Worker(new URL(file.href.replace(/\.ts$/, '.js')), options);
  // Resolved here: code that is evaluated resolves names from the working directory, which is the user's.
  // By way of the package's folder, since `require.resolve` would give the CommonJS half.
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx/package.json'));
  const [loader, entry] = [new URL('dist/esm/api/index.mjs', tsx).href, file.href].map((name) => JSON.stringify(name));
  const boot = `import(${loader}).then(({register})=>{register();return import(${entry})})`;
  return new Worker(boot, { ...options, eval: true, execArgv: ['--conditions=source'] });
}
