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
  return resultOf(startCommand(...args));
}

/** Runs until stderr, where progress is printed, says `moment`; then presses Ctrl-C, once. */
export function interruptedAt(moment: RegExp, ...args: string[]): Promise<CommandResult> {
  const child = startCommand(...args);
  return resultOf(child, (stderr) => {
    if (moment.test(stderr)) child.kill('SIGINT');
    return moment.test(stderr);
  });
}

/** @param onStderr sees all of it at each piece, until it returns true */
function resultOf(child: ChildProcess, onStderr?: (stderr: string) => boolean): Promise<CommandResult> {
  const result: CommandResult = { code: null, stdout: '', stderr: '' };
  let isSeen = onStderr === undefined;
  child.stdout!.on('data', (chunk) => (result.stdout += chunk));
  child.stderr!.on('data', (chunk) => {
    result.stderr += chunk;
    if (!isSeen) isSeen = onStderr!(result.stderr);
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ ...result, code })));
}
