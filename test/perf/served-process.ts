// `quern serve` of the built code, as a process of its own.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

const quern = join(import.meta.dirname, '../../apps/quern/bin/quern.js');

export interface ServedProcess extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  /** Memory that is resident now; undefined where there is no /proc. */
  residentMiB(): number | undefined;
}

/** Resolves when the model is loaded. @throws Error with what the command said, when it ends before */
export async function serveInProcess(model: string, flags: readonly string[]): Promise<ServedProcess> {
  const args = [quern, 'serve', model, '--port', '0', '--json', '--quiet', ...flags];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  // A benchmark that fails or is interrupted leaves no server behind.
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = await new Promise<string>((resolve, reject) => {
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      const [, found] = /"url":\s*"([^"]+)"/.exec(stdout) ?? [];
      if (found !== undefined) resolve(found);
    });
    void ended.then(() => reject(new Error(`quern serve ended: ${stderr || stdout}`)));
  });
  // It listens before it has loaded, and answers 503 until then.
  const isLoading = async (): Promise<boolean> => (await fetch(`${url}/health`)).status === 503;
  const failed = ended.then(() => Promise.reject(new Error(`quern serve ended: ${stderr}`)));
  // Later ends are those of `asyncDispose`.
  failed.catch(() => {});
  while (await Promise.race([isLoading(), failed])) await setTimeout(50);
  return {
    url,
    pid: child.pid!,
    residentMiB() {
      if (process.platform !== 'linux') return undefined;
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]) / 1024;
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await ended;
      process.off('exit', kill);
    },
  };
}
