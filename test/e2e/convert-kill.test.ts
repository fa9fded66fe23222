// A run that is killed leaves nothing under the final name; the next one goes on and gives the bytes of a run that was
// never disturbed.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { seededRandom } from '../../packages/blocks/src/testing/edge-rows.ts';
import { syntheticCheckpoint } from '../perf/synthetic-checkpoint.mjs';

let folder: string;
let checkpoint: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'quern-kill-'));
  checkpoint = join(folder, 'model');
  await syntheticCheckpoint(checkpoint, 30);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Outcome {
  code: number | null;
  signal: NodeJS.Signals | null;
  output: string;
}

/** Runs to the end, or until a share of the bytes is done: then `signal` is sent. */
function run(fileType: string, output: string, signal?: NodeJS.Signals, share = 1): Promise<Outcome> {
  const script = join(import.meta.dirname, 'write-child.mjs');
  const child = spawn(process.execPath, [script, checkpoint, fileType, output]);
  let text = '';
  const listen = (chunk: Buffer) => {
    text += chunk;
    const [, done, total] = /.*^(\d+)\/(\d+)$/ms.exec(text) ?? [];
    if (signal && Number(done) >= share * Number(total)) child.kill(signal);
  };
  child.stdout.on('data', listen);
  child.stderr.on('data', listen);
  return new Promise((resolve) => child.on('close', (code, killed) => resolve({ code, signal: killed, output: text })));
}

const sha256 = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');

describe.each(['bf16', 'Q8_0', 'Q4_K_M'])('writing %s', (fileType) => {
  test('survives SIGKILL at any moment', async () => {
    const clean = join(folder, `clean-${fileType}.gguf`);
    expect(await run(fileType, clean)).toMatchObject({ code: 0 });

    const random = seededRandom(7);
    const output = join(folder, `killed-${fileType}.gguf`);
    for (let i = 0; i < 4; i++) {
      const outcome = await run(fileType, output, 'SIGKILL', random() * 0.9);
      expect(outcome.signal).toBe('SIGKILL');
      // On a busy machine the signal may come after the last byte: then the file is whole.
      if (existsSync(output)) expect(sha256(output)).toBe(sha256(clean));
      rmSync(output, { force: true });
    }
    const last = await run(fileType, output);
    expect(last).toMatchObject({ code: 0 });
    expect(sha256(output)).toBe(sha256(clean));
    expect(existsSync(`${output}.partial`) || existsSync(`${output}.partial.journal`)).toBe(false);
  });
});

test('an interrupted run is resumed, not begun again', async () => {
  const output = join(folder, 'resumed.gguf');
  const first = await run('Q4_K_M', output, 'SIGINT', 0.5);
  expect(first.code).not.toBe(0);
  expect(existsSync(output)).toBe(false);
  const second = await run('Q4_K_M', output);
  expect(Number(/resumed (\d+)/.exec(second.output)?.[1])).toBeGreaterThan(5);
  expect(sha256(output)).toBe(sha256(join(folder, 'clean-Q4_K_M.gguf')));
});

test('the partial file of another plan is discarded', async () => {
  const output = join(folder, 'other.gguf');
  await run('Q8_0', output, 'SIGINT', 0.5);
  expect(existsSync(`${output}.partial`)).toBe(true);
  const second = await run('bf16', output);
  expect(second.output).toMatch(/resumed 0/);
  expect(sha256(output)).toBe(sha256(join(folder, 'clean-bf16.gguf')));
});

test('a partial file that is no such thing is discarded', async () => {
  const output = join(folder, 'foreign.gguf');
  writeFileSync(`${output}.partial`, 'something else');
  writeFileSync(`${output}.partial.journal`, '{"journal":1}\n"token_embd.weight"\n');
  expect(await run('bf16', output)).toMatchObject({ code: 0 });
  expect(sha256(output)).toBe(sha256(join(folder, 'clean-bf16.gguf')));
});
