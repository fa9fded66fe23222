// `quern quantize --target-…` as a person meets it: a folder in, a file of the size asked for out; killed and gone on; the
// saved types give the same bytes; what is refused.
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { briefCommand, type CommandResult, root, runCommand, startCommand } from './cli-fixture.ts';

const checkpoint = join(root, 'test/models/tiny-llama');
const fixedGguf = join(checkpoint, 'expected/llama.cpp-bf16.gguf');
const imatrix = join(checkpoint, 'expected/imatrix.gguf');
let folder: string;
const at = (name: string): string => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'quern-target-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Quick: one type measured of each tensor, few tokens. */
const quick = ['--measure', '1', '--trials', '1', '--calibration-ctx', '64', '--calibration-chunks', '2'];
const types = ['--types', 'Q3_K,Q4_K,Q6_K'];
const quantize = (...args: string[]): Promise<CommandResult> => runCommand('quantize', ...args);

test('a run that is killed goes on with what it had measured', async () => {
  const args = ['quantize', checkpoint, '--target-bpw', '4.5', ...quick, ...types, '--force'];
  const killed = at('killed.jsonl');
  const child = startCommand(...args, '-o', at('killed.gguf'), '--sensitivity', killed);
  const ended = new Promise((resolve) => child.on('close', (_, signal) => resolve(signal)));
  const watch = setInterval(() => {
    const lines = existsSync(killed) ? readFileSync(killed, 'utf8').split('\n').length : 0;
    // All squared errors (29 tensors, 3 types), and some divergences.
    if (lines > 95) child.kill('SIGKILL');
  }, 5);
  expect(await ended).toBe('SIGKILL');
  clearInterval(watch);
  expect(existsSync(at('killed.gguf'))).toBe(false);

  const resumed = await runCommand(...args, '-o', at('killed.gguf'), '--sensitivity', killed, '--json');
  expect(resumed).toMatchObject({ code: 0, stderr: expect.stringMatching(/\d+ measurements are known/) });
  const clean = await runCommand(...args, '-o', at('clean.gguf'), '--sensitivity', at('clean.jsonl'), '--json');
  expect(clean.code).toBe(0);
  expect(readFileSync(at('killed.gguf')).equals(readFileSync(at('clean.gguf')))).toBe(true);
  const [one, two] = [resumed, clean].map(({ stdout }) => JSON.parse(stdout).automix);
  expect({ ...one, sensitivity: undefined }).toEqual({ ...two, sensitivity: undefined });
  expect(one.chosen.bytes).toBeLessThanOrEqual(one.budget.bytes);
  expect(one.tensors).toHaveLength(29);
});

test('from GGUF with an importance matrix; the saved types give the same bytes', async () => {
  const args = ['--imatrix', imatrix, '--types', 'IQ2_XS,IQ3_S,IQ4_XS,Q6_K'];
  const saved = at('types.txt');
  const auto = await quantize(
    ...[fixedGguf, '--target-size', 'IQ3_M', ...args, ...quick, '-o', at('auto.gguf'), '--save-tensor-types', saved],
  );
  expect(auto).toMatchObject({ code: 0 });
  const [, fileType] = /--type (\S+) --tensor-type-file/.exec(auto.stderr)!;
  expect(readFileSync(saved, 'utf8')).toMatch(/^(\^\S+\$=[a-z0-9_]+\n){29}$/);
  const again = ['--type', fileType!, '--tensor-type-file', saved, '--imatrix', imatrix, '-o', at('again.gguf')];
  expect(await quantize(fixedGguf, ...again)).toMatchObject({ code: 0 });
  expect(readFileSync(at('again.gguf')).equals(readFileSync(at('auto.gguf')))).toBe(true);
  expect(await quantize(fixedGguf, '--type', 'IQ3_M', '--imatrix', imatrix, '-o', at('fixed.gguf'))).toMatchObject({
    code: 0,
  });
  expect(statSync(at('auto.gguf')).size).toBeLessThanOrEqual(statSync(at('fixed.gguf')).size);
});

test('a dry run measures, prints the mixture, and writes no model', async () => {
  const dry = await quantize(
    checkpoint,
    '--target-size',
    '3MiB',
    ...quick,
    ...types,
    '-o',
    at('dry.gguf'),
    '--dry-run',
  );
  expect(dry).toMatchObject({ code: 0, stdout: expect.stringMatching(/blk\.3\.ffn_up\.weight .* auto: KLD \d/) });
  expect(dry.stdout).toMatch(/auto \(chosen\) +(2\.9\d|3\.00) MiB/);
  expect(existsSync(at('dry.gguf'))).toBe(false);
});

describe('is refused', () => {
  const refused: [string, string[], number, RegExp][] = [
    ['two targets', ['--target-bpw', '4', '--target-size', '3M'], 2, /give one/],
    ['a target and a type', ['--target-bpw', '4', '--type', 'Q4_K_M'], 2, /--type does not go with a target/],
    ['a target and types by name', ['--target-bpw', '4', '--tensor-type', 'attn_v=Q8_0'], 2, /--tensor-type does not/],
    ['no size', ['--target-size', 'small'], 2, /no size/],
    ['no type and no target', [], 2, /--type, --target-bpw or --target-size/],
    ['an unknown type to choose', ['--target-bpw', '4', '--types', 'Q4_K,Q9'], 2, /no type of weights/],
    [
      'a target below the smallest',
      ['--target-bpw', '1.2'],
      3,
      /1\.200 bits per weight.*the smallest mixture has \d\.\d{3} bits/,
    ],
    ['a target above the unquantized', ['--target-size', '1G'], 3, /1000000000 bytes .*has only \d+/],
    ['flags of a target alone', ['--type', 'Q8_0', '--trials', '3'], 2, /--trials means nothing without a target/],
  ];
  test.each(refused)('%s', async (_, args, code, says) => {
    const result = await briefCommand('quantize', fixedGguf, ...args, '-o', at('refused.gguf'));
    expect(result).toMatchObject({ code, stderr: expect.stringMatching(says) });
    expect(existsSync(at('refused.gguf'))).toBe(false);
  });

  test('calibration text that is empty, or measured settings that changed', async () => {
    writeFileSync(at('empty.txt'), '');
    const target = ['--target-bpw', '5', '-o', at('refused.gguf')];
    expect(await briefCommand('quantize', fixedGguf, ...target, '--calibration', at('empty.txt'))).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/has 0 tokens|has 1 tokens/),
    });
    const journal = ['--sensitivity', at('changed.jsonl'), ...types, '--dry-run'];
    expect(await quantize(fixedGguf, ...target, ...journal, ...quick)).toMatchObject({ code: 0 });
    const other = [...quick.slice(0, -1), '3'];
    expect(await briefCommand('quantize', fixedGguf, ...target, ...journal, ...other)).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/another calibration text, number of chunks/),
    });
  });
});
