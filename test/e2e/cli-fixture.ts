// Runs the real `quern` command, as it was built, as a process of its own.
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '../..');
const quern = join(root, 'apps/quern/bin/quern.js');

/** The environment of a command that is started by hand, not by npx. */
const byHand = () => ({ ...process.env, npm_command: undefined });

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
    env: byHand(),
  });
}

export function runCommand(...args: string[]): Promise<CommandResult> {
  return resultOf(startCommand(...args));
}

/** A process that takes one line after the other (command-lines.mjs); it does not keep this one alive. */
function startTaker(): ChildProcess {
  const taker = fork(join(import.meta.dirname, 'command-lines.mjs'), {
    cwd: root,
    // Not those of vitest, with which packages are read as source.
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: byHand(),
  });
  taker.unref();
  taker.channel!.unref();
  return taker;
}

async function taken(taker: ChildProcess, args: readonly string[]): Promise<CommandResult> {
  const answered = new AbortController();
  const { signal } = answered;
  const ended = once(taker, 'exit', { signal }).then(([code]) => {
    throw new Error(`the process of the commands ended with ${code} in ${args.join(' ')}`);
  });
  try {
    const answer = once(taker, 'message', { signal });
    taker.send([...args]);
    return (await Promise.race([answer, ended]))[0];
  } finally {
    ended.catch(() => {});
    answered.abort();
  }
}

/** One after the other in one process: for commands that are refused. */
export async function runCommands(lines: readonly (readonly string[])[]): Promise<CommandResult[]> {
  const taker = startTaker();
  const results: CommandResult[] = [];
  for (const args of lines) results.push(await taken(taker, args));
  taker.disconnect();
  return results;
}

let shared: ChildProcess | undefined;
let turn: Promise<unknown> = Promise.resolve();

/** For a command that is over at once, refused or answered: all of a test file are given to one process, in turn. */
export function briefCommand(...args: string[]): Promise<CommandResult> {
  const taker = (shared ??= startTaker());
  const result = turn.then(() => taken(taker, args));
  turn = result.catch(() => {});
  return result;
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
