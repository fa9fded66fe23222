// Exit codes, streams and pipes are properties of a process, so every case is one.
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

/** Runs `body` (which sees the package as `terminal` and `QuernError`) as a program of its own. */
function program(body: string, shell?: string, words: readonly string[] = []) {
  const code = `import * as terminal from '@quern/terminal'; import { QuernError } from '@quern/errors'; ${body}`;
  const args = ['--input-type=module', '-e', code, 'quern.js', ...words];
  // As started by hand, not by npx.
  const options = { cwd: import.meta.dirname, env: { ...process.env, npm_command: undefined } };
  const result = shell
    ? spawnSync('bash', ['-c', `set -o pipefail; "$@" ${shell}`, 'bash', process.execPath, ...args], {
        ...options,
      })
    : spawnSync(process.execPath, args, options);
  return { status: result.status, stdout: String(result.stdout), stderr: String(result.stderr) };
}

test('a QuernError is one line on stderr and exit code 1', () => {
  const { status, stdout, stderr } = program(`
    await terminal.runCommand(async () => { throw new QuernError('gguf-bad-magic', 'Not a GGUF file.', { file: 'a.gguf', remedy: 'Check it.' }); });`);
  expect({ status, stdout, stderr }).toEqual({
    status: 1,
    stdout: '',
    stderr: 'error: Not a GGUF file. (file a.gguf) Check it.\n',
  });
});

test('with json it is one document on stdout', () => {
  const { status, stdout } = program(`
    await terminal.runCommand(async () => { throw new QuernError('refused-fallback', 'No.', { tensor: 't' }); }, { json: true });`);
  expect(status).toBe(3);
  expect(JSON.parse(stdout)).toEqual({ error: { code: 'refused-fallback', message: 'No.', tensor: 't' } });
});

test.each([
  ['usage-unknown-type', 2],
  ['refused-disk-space', 3],
  ['interrupted', 130],
  ['disk-full', 1],
])('%s exits with %i', (code, status) => {
  expect(program(`await terminal.runCommand(async () => { throw new QuernError('${code}', 'x'); });`).status).toBe(
    status,
  );
});

test('a bug shows its stack and exits with 70', () => {
  const { status, stderr } = program(`await terminal.runCommand(async () => { null.x; });`);
  expect(status).toBe(70);
  expect(stderr).toMatch(/internal error, please report it: TypeError/);
});

test('a failed command does not hang on what it left running', () => {
  const { status } = program(`
    setInterval(() => {}, 1000);
    await terminal.runCommand(async () => { throw new QuernError('disk-full', 'x'); });`);
  expect(status).toBe(1);
});

test('a closed pipe ends the process quietly', () => {
  const { status, stderr } = program(
    `await terminal.runCommand(async () => {
       for (let i = 0; i < 2e4; i++) { terminal.printLine('x'.repeat(100)); if (i % 100 === 0) await new Promise(setImmediate); }
     });`,
    '| head -1 >/dev/null',
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

const untilAborted = `({ signal }) => new Promise((_, reject) => { setTimeout(() => {}, 60_000); signal.addEventListener('abort', () => reject(signal.reason)); })`;

test.each(['SIGINT', 'SIGTERM'])('%s aborts the signal, and says that nothing is kept', (name) => {
  const { status, stderr } = program(
    `setImmediate(() => process.kill(process.pid, '${name}')); await terminal.runCommand(${untilAborted});`,
    undefined,
    ['convert', 'a b', "it's"],
  );
  expect(status).toBe(130);
  expect(stderr.split('\n').slice(1)).toEqual([
    'Interrupted. Nothing is kept.',
    String.raw`  start over:  quern convert 'a b' 'it'\''s'`,
    '',
  ]);
});

test('what is kept is named, with what goes on and what deletes it', () => {
  const { stderr } = program(
    `await terminal.runCommand(async ({ onUnfinished }) => {
       onUnfinished('run-command.ts', '../src', 'never-begun.partial');
       throw new QuernError('interrupted', 'x');
     });`,
    undefined,
    ['quantize', 'm.gguf'],
  );
  expect(stderr).toBe(
    'Interrupted. What is done is kept in run-command.ts, ../src.\n  go on:   quern quantize m.gguf\n' +
      '  delete:  rm run-command.ts; rm -r ../src\n',
  );
});

test('with json the interruption is one document', () => {
  const { status, stdout } = program(
    `await terminal.runCommand(async ({ onUnfinished }) => { onUnfinished('../src'); throw new QuernError('interrupted', 'x'); }, { json: true });`,
    undefined,
    ['eval', '--json'],
  );
  expect(status).toBe(130);
  expect(JSON.parse(stdout).error).toMatchObject({
    ...{ code: 'interrupted', kept: ['../src'], resume: 'quern eval --json', discard: 'rm -r ../src' },
  });
});

test('a wrapped abort is an interruption, another failure is itself', () => {
  const aborted = (body: string) =>
    program(`await terminal.runCommand(async ({ signal }) => {
      process.kill(process.pid, 'SIGINT');
      const alive = setInterval(() => {}, 1000);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      clearInterval(alive);
      ${body}
    });`);
  const wrapped = aborted(`throw new QuernError('http-failed', 'x', { cause: signal.reason });`);
  expect(wrapped.status).toBe(130);
  const full = aborted(`throw new QuernError('disk-full', 'No space.');`);
  expect([full.status, full.stderr]).toEqual([1, expect.stringContaining('error: No space.')]);
});

test('the second Ctrl-C ends a command that does not listen, and says the same', () => {
  const { status, stderr } = program(`
    const kill = () => process.kill(process.pid, 'SIGINT');
    setImmediate(kill);
    await terminal.runCommand(({ signal, onUnfinished }) => {
      onUnfinished('../src');
      signal.addEventListener('abort', () => setImmediate(kill));
      return new Promise(() => setTimeout(() => {}, 60_000));
    });`);
  expect(status).toBe(130);
  expect(stderr).toMatch(/^Stopping after what is at work\. .*\nInterrupted\. What is done is kept in \.\.\/src\.\n/);
});

test('a message does not stand behind the progress line', () => {
  const { stderr } = program(`
    await terminal.runCommand(async () => {
      const progress = terminal.createProgress({ title: 'work', mode: 'tty' });
      while (process.stderr.bytesWritten === 0) progress.update({ done: 1, total: 2 });
      throw new QuernError('disk-full', 'No space.');
    });`);
  expect(stderr).toMatch(/work.*\nerror: No space\.\n$/s);
});
