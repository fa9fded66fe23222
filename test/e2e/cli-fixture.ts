// Runs the real `quern` command, as it was built, as a process of its own.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '../..');
const quern = join(root, 'apps/quern/bin/quern.js');

/** What node is given to run a line of `quern`. */
export const commandLine = (...args: string[]): string[] => [quern, ...args];

export interface CommandResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

export function startCommand(...args: string[]): ChildProcess {
  return spawn(process.execPath, commandLine(...args), {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    // As started by hand, not by npx.
    env: { ...process.env, npm_command: undefined },
  });
}

export function runCommand(...args: string[]): Promise<CommandResult> {
  return resultOf(startCommand(...args));
}

/** One after the other in one process: for commands that are refused. */
export async function runCommands(lines: readonly (readonly string[])[]): Promise<CommandResult[]> {
  const script = join(import.meta.dirname, 'command-lines.mjs');
  const child = spawn(process.execPath, [script, JSON.stringify(lines)], { cwd: root });
  const { stdout, stderr } = await resultOf(child);
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as CommandResult[];
}

/** Runs until stderr, where progress is printed, says `moment`; then presses Ctrl-C, once. */
export const interruptedAt = (moment: RegExp, ...args: string[]): Promise<CommandResult> =>
  signalledAt('SIGINT', (stderr) => moment.test(stderr), ...args);

/** Sends a signal when `ready` says so of stderr: once, since a second one ends a command without its leave. */
export function signalledAt(
  signal: NodeJS.Signals,
  ready: (stderr: string) => boolean,
  ...args: string[]
): Promise<CommandResult> {
  const child = startCommand(...args);
  return resultOf(child, (stderr) => ready(stderr) && child.kill(signal));
}

/** @param onStderr sees all of it at each piece, until it returns true */
export function resultOf(child: ChildProcess, onStderr?: (stderr: string) => boolean): Promise<CommandResult> {
  const result: CommandResult = { code: null, stdout: '', stderr: '' };
  let isSeen = onStderr === undefined;
  child.stdout!.on('data', (chunk) => (result.stdout += chunk));
  child.stderr!.on('data', (chunk) => {
    result.stderr += chunk;
    if (!isSeen) isSeen = onStderr!(result.stderr);
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ ...result, code })));
}
