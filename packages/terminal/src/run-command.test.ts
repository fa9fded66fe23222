// Exit codes, streams and pipes are properties of a process, so every case is one.
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

/** Runs `body` (which sees the package as `terminal` and `QuernError`) as a program of its own. */
function program(body: string, shell?: string) {
  const code = `import * as terminal from '@quern/terminal'; import { QuernError } from '@quern/errors'; ${body}`;
  const args = ['--conditions=source', '--import', 'tsx', '--input-type=module', '-e', code];
  const result = shell
    ? spawnSync('bash', ['-c', `set -o pipefail; "$@" ${shell}`, 'bash', process.execPath, ...args], {
        cwd: import.meta.dirname,
      })
    : spawnSync(process.execPath, args, { cwd: import.meta.dirname });
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

test('the first SIGINT aborts the signal, the command ends as it likes', () => {
  const { status, stderr } = program(`
    await terminal.runCommand(async ({ signal }) => {
      setTimeout(() => process.kill(process.pid, 'SIGINT'), 50);
      await new Promise((_, reject) => { setTimeout(() => {}, 5000); signal.addEventListener('abort', () => reject(signal.reason)); });
    });`);
  expect(status).toBe(130);
  expect(stderr).toBe('error: Interrupted.\n');
});
