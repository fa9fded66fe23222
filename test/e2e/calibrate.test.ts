// `quern calibrate` as a process: what it writes, how it stops and goes on, what it refuses.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readImatrix, writeImatrix } from '@quern/calibration';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { briefCommand, type CommandResult, root, runCommand, signalledAt } from './cli-fixture.ts';

const model = join(root, 'test/models/tiny-llama');
const otherModel = join(root, 'test/models/arch/llama3');
const golden = join(model, 'expected/imatrix.gguf');

let folder: string;
let text: string;
const file = (name: string) => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'quern-calibrate-'));
  text = file('text.txt');
  writeFileSync(text, readFileSync(join(root, 'test/models/text/tinyshakespeare.txt')).subarray(0, 40_000));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const calibrate = (...args: string[]) => runCommand('calibrate', ...args);
const prose = ['--text', join(root, 'test/models/text/prose-test.txt'), '--ctx-size', '64'];
const short = [...prose, '--chunks', '3'];

describe('measuring', () => {
  test('on the text that comes with quern, when none is named', async () => {
    const { code, stdout } = await calibrate(model, '--chunks', '3', '-o', file('default.gguf'), '--json', '-q');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      path: file('default.gguf'),
      datasets: ['default'],
      chunkCount: 3,
      chunkSize: 512,
      entryCount: 28,
      neverFired: [],
      resumedChunks: 0,
    });
    const { entries } = await readImatrix(file('default.gguf'));
    expect([...entries.get('blk.3.ffn_down.weight')!.counts]).toEqual([3 * 512]);
  });

  test('the sums do not depend on threads, and several texts are one measurement', async () => {
    const texts = ['--text', text, '--text', join(root, 'test/models/text/prose-test.txt'), '--ctx-size', '128', '-q'];
    await calibrate(model, ...texts, '--chunks', '9', '-t', '1', '-o', file('one.gguf'));
    await calibrate(model, ...texts, '--chunks', '9', '-t', '3', '-o', file('three.gguf'));
    expect(readFileSync(file('one.gguf')).equals(readFileSync(file('three.gguf')))).toBe(true);
    expect((await readImatrix(file('one.gguf'))).datasets).toEqual(['text.txt', 'prose-test.txt']);
  });

  test('says what it did, with progress, and shows figures when asked', async () => {
    const { code, stdout, stderr } = await calibrate(model, ...short, '-o', file('said.gguf'), '--show-statistics');
    expect(code).toBe(0);
    expect(stderr).toMatch(/calibrate +100% +192 of 192 +.*tokens\/s/);
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^tensor +Σ mean x² .* rows$/);
    expect(lines).toHaveLength(1 + 28 + 1);
    expect(lines.at(-1)).toMatch(/said\.gguf: 28 weights over 3 chunks of 64 tokens, in /);
  });
});

describe('stopping', () => {
  const run = (output: string) => [model, '--text', text, '-o', output, '-t', '1', '--save-every', '1', '--json'];
  let whole: Buffer;
  beforeAll(async () => {
    await calibrate(...run(file('whole.gguf')));
    whole = readFileSync(file('whole.gguf'));
  });

  /** Sends `signal` at the first sign of progress that `ready` accepts. */
  function stopped(output: string, signal: NodeJS.Signals, ready: (done: number) => boolean): Promise<CommandResult> {
    const doneOf = (stderr: string): number => Number(/.*"done":(\d+)/s.exec(stderr)?.[1] ?? 0);
    return signalledAt(signal, (stderr) => ready(doneOf(stderr)), 'calibrate', ...run(output));
  }

  test('Ctrl-C keeps every chunk that was done, and the next run gives the bytes of an undisturbed one', async () => {
    const output = file('interrupted.gguf');
    const { code, stdout: told } = await stopped(output, 'SIGINT', (done) => done > 0);
    expect(code).toBe(130);
    expect(JSON.parse(told).error).toMatchObject({
      ...{ code: 'interrupted', kept: [`${output}.unfinished`], discard: `rm ${output}.unfinished` },
      resume: ['quern', 'calibrate', ...run(output)].join(' '),
    });
    expect(existsSync(output)).toBe(false);
    const { chunkCount } = await readImatrix(`${output}.unfinished`);
    expect(chunkCount).toBeGreaterThan(0);

    const { stdout, stderr } = await calibrate(...run(output));
    expect(stderr).toContain(`Going on after ${chunkCount} chunks`);
    expect(JSON.parse(stdout).resumedChunks).toBe(chunkCount);
    expect(readFileSync(output).equals(whole)).toBe(true);
    expect(existsSync(`${output}.unfinished`)).toBe(false);
  });

  test('a killed run goes on from its last save', async () => {
    const output = file('killed.gguf');
    const { code } = await stopped(output, 'SIGKILL', () => existsSync(`${output}.unfinished`));
    expect(code).toBeNull();
    const { stdout } = await calibrate(...run(output));
    expect(JSON.parse(stdout).resumedChunks).toBeGreaterThan(0);
    expect(readFileSync(output).equals(whole)).toBe(true);
  });

  test.each<[string, string[], RegExp]>([
    ['another context', ['--text', 'TEXT', '--ctx-size', '128'], /belongs to another model, text or setting/],
    ['another text', prose, /belongs to another model, text or setting/],
  ])('what was measured with %s is not continued', async (_, args, note) => {
    const output = file('changed.gguf');
    rmSync(output, { force: true });
    await stopped(output, 'SIGINT', (done) => done > 0);
    expect(existsSync(`${output}.unfinished`)).toBe(true);
    const given = args.map((arg) => (arg === 'TEXT' ? text : arg));
    const { stderr, stdout } = await calibrate(model, ...given, '--chunks', '2', '-o', output, '--json');
    expect(stderr).toMatch(note);
    expect(JSON.parse(stdout)).toMatchObject({ resumedChunks: 0, chunkCount: 2 });
  });

  test('more than is wanted now is not continued, less is', async () => {
    const output = file('fewer.gguf');
    await stopped(output, 'SIGINT', (done) => done >= 3 * 512);
    const { chunkCount } = await readImatrix(`${output}.unfinished`);
    const more = await calibrate(...run(output), '--chunks', String(chunkCount + 1));
    expect(JSON.parse(more.stdout)).toMatchObject({ resumedChunks: chunkCount, chunkCount: chunkCount + 1 });
    rmSync(output);
    await stopped(output, 'SIGINT', (done) => done >= 3 * 512);
    const fewer = await calibrate(...run(output), '--chunks', '2');
    expect(fewer.stderr).toContain('more than wanted');
    expect(JSON.parse(fewer.stdout)).toMatchObject({ resumedChunks: 0, chunkCount: 2 });
  });

  test('an unreadable rest is not continued', async () => {
    const output = file('damaged.gguf');
    writeFileSync(`${output}.unfinished`, 'GGUF nonsense');
    const { code, stderr } = await calibrate(model, ...short, '-o', output);
    expect(stderr).toMatch(/cannot be continued: .* Starting over\./);
    expect(code).toBe(0);
    expect(existsSync(`${output}.unfinished`)).toBe(false);
  });
});

describe('merging', () => {
  test('adds up, in either format, and looks without writing', async () => {
    const dat = join(model, 'expected/imatrix.dat');
    const { code, stdout } = await calibrate('--merge', golden, dat, '-o', file('both.gguf'));
    expect(code).toBe(0);
    expect(stdout).toMatch(/both\.gguf: 28 weights over 74 chunks of 512 tokens/);
    const [both, one] = [await readImatrix(file('both.gguf')), await readImatrix(golden)];
    expect(both.datasets).toEqual(['calib.txt', 'calib.txt']);
    const name = 'blk.2.ffn_up.weight';
    expect(both.entries.get(name)!.counts[0]).toBe(2 * one.entries.get(name)!.counts[0]!);
    expect(both.entries.get(name)!.sums[5]! / one.entries.get(name)!.sums[5]!).toBeCloseTo(2, 5);

    const looked = await calibrate('--merge', golden, '--show-statistics', '--json');
    expect(JSON.parse(looked.stdout).statistics).toHaveLength(28);
  });

  test('adds a new measurement to earlier ones', async () => {
    const { code } = await calibrate(model, ...short, '--merge', golden, '-o', file('added.gguf'), '-q');
    expect(code).toBe(0);
    const { entries, datasets } = await readImatrix(file('added.gguf'));
    expect([...entries.get('blk.0.attn_q.weight')!.counts]).toEqual([37 * 512 + 3 * 64]);
    expect(datasets).toEqual(['calib.txt', 'prose-test.txt']);
  });

  test('names experts that no token reached', async () => {
    const entries = new Map([
      ['blk.0.ffn_up_exps.weight', { sums: new Float32Array(8).fill(1), counts: Float32Array.of(512, 0, 4, 0) }],
    ]);
    await writeImatrix(file('moe.gguf'), { datasets: [], chunkCount: 1, chunkSize: 512, entries });
    const { stderr } = await calibrate('--merge', file('moe.gguf'), '-o', file('moe2.gguf'));
    expect(stderr).toContain('blk.0.ffn_up_exps.weight: no token reached experts 1, 3');
  });
});

describe('refusals', () => {
  const tiny = () => {
    writeFileSync(file('tiny.txt'), 'too short');
    return file('tiny.txt');
  };
  test.each<[string, () => string[], number, RegExp]>([
    ['nothing to do', () => [], 2, /name a model, or files to --merge/],
    ['a text without a model', () => ['--text', text, '--merge', golden], 2, /measured on a model/],
    ['a text and a recipe', () => [model, '--text', text, '--recipe', 'default'], 2, /cannot be used with/],
    ['a merge without a place for it', () => ['--merge', golden], 2, /--output/],
    ['a wrong number', () => [model, '--ctx-size', 'many'], 2, /--ctx/],
    ['a text shorter than a chunk', () => [model, '--text', tiny(), '-o', file('x')], 1, /tiny\.txt.*longer text/],
    ['a missing text', () => [model, '--text', file('none'), '-o', file('x')], 1, /cannot be read/],
    ['an unknown recipe', () => [model, '--recipe', 'none', '-o', file('x')], 1, /no recipe called "none".*default/],
    ['a missing model', () => [file('none.gguf'), '-o', file('x')], 1, /none\.gguf/],
    [
      'a folder that does not exist',
      () => [model, ...short, '-o', file('no/x.gguf')],
      1,
      /folder of the output does not exist/,
    ],
    ['an existing output', () => [model, ...short, '-o', text], 3, /The output file exists.*--force/],
    [
      'an imatrix of another model',
      () => [otherModel, ...short, '--merge', golden, '-o', file('x')],
      1,
      /imatrix\.gguf.*blk\.0/,
    ],
    [
      'a model for an imatrix',
      () => ['--merge', join(model, 'expected/llama.cpp-bf16.gguf'), '-o', file('x')],
      1,
      /of type "model"/,
    ],
  ])('%s', async (_, args, exitCode, message) => {
    const { code, stderr } = await briefCommand('calibrate', ...args());
    expect(stderr).toMatch(message);
    expect(code).toBe(exitCode);
    expect(existsSync(file('x'))).toBe(false);
  });
});
