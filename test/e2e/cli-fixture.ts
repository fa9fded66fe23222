// Runs the real `quern` command, on source, as a process of its own.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

export const root = join(import.meta.dirname, '../..');
const tsx = pathToFileURL(join(root, 'node_modules/tsx/dist/loader.mjs')).href;
const nodeArguments = ['--import', tsx, '--conditions=source', join(root, 'apps/quern/src/main.ts')];

export interface CommandResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

export function startCommand(...args: string[]): ChildProcess {
  return spawn(process.execPath, [...nodeArguments, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
}

export function runCommand(...args: string[]): Promise<CommandResult> {
  const child = startCommand(...args);
  const result: CommandResult = { code: null, stdout: '', stderr: '' };
  child.stdout!.on('data', (chunk) => (result.stdout += chunk));
  child.stderr!.on('data', (chunk) => (result.stderr += chunk));
  return new Promise((resolve) => child.on('close', (code) => resolve({ ...result, code })));
}
