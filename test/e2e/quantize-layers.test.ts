// quern quantize --type awq, gptq, rtn as a process: its words, its exit codes, and what a kill or a full disk leaves.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type QuantizeOptions, quantizeModel } from '@quern/awq';
import { openModel } from '@quern/models';
import { afterAll, describe, expect, it } from 'vitest';
import { fillDisk } from '../fill-disk.ts';
import { briefCommand, runCommand, startCommand } from './cli-fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'quern-layers-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const models = join(import.meta.dirname, '../models');
const tiny = join(models, 'arch/llama3');
const text = join(models, 'text/tinyshakespeare.txt');
const fast = ['--group-size', '32', '--calibration', text, '--samples', '3', '--seq-len', '64', '--threads', '1'];
const quantize = (...args: string[]) => runCommand('quantize', ...args);
const refused = (...args: string[]) => briefCommand('quantize', ...args);
const bytesOf = (dir: string) =>
  readdirSync(dir)
    .sort()
    .map((name) => [name, readFileSync(join(dir, name))]);

describe('the command', () => {
  it('writes a folder and says what it found as JSON', async () => {
    const out = join(folder, 'json');
    const { code, stdout } = await quantize(tiny, '--type', 'AWQ', ...fast, '-o', out, '--json');
    expect(code).toBe(0);
    const said = JSON.parse(stdout);
    expect(said).toMatchObject({ path: out, type: 'awq', format: 'awq', bits: 4, groupSize: 32, quantizedTensors: 28 });
    expect(said.pairs.length).toBeGreaterThanOrEqual(12);
    expect(said.pairs[0]).toMatchObject({ block: 0, prev: 'blk.0.attn_norm.weight', ratios: [expect.any(Number)] });
    expect(JSON.parse(readFileSync(join(out, 'config.json'), 'utf8')).quantization_config.group_size).toBe(32);
  });

  it('tells memory, time and disk first, and stops there with --dry-run', async () => {
    const out = join(folder, 'dry');
    const { code, stderr } = await quantize(tiny, '--type', 'gptq', ...fast, '-o', out, '--dry-run');
    expect(code).toBe(0);
    expect(stderr).toMatch(/3 sequences of 64 tokens; memory .* on the device; disk .*, about .* on this machine/);
    expect(existsSync(out)).toBe(false);
  });

  it.each([
    [2, ['--type', 'rtn', '--samples', '3'], '--samples means nothing with --type rtn'],
    [2, ['--type', 'awq', '--desc-act'], '--desc-act means nothing with --type awq'],
    [2, ['--type', 'awq', '--imatrix', 'x'], '--imatrix means nothing with --type awq'],
    [2, ['--type', 'Q4_K_M', '--group-size', '32'], '--group-size means nothing with --type Q4_K_M'],
    [2, ['--type', 'gptq', '--damp', '2'], '--damp is 2'],
    [1, ['--type', 'awq'], 'Groups of 128 do not divide'],
    [1, ['--type', 'awq', '--group-size', '32', '--calibration', join(tiny, 'nothing.txt')], 'cannot be read'],
    [1, ['--type', 'rtn', '--group-size', '32', '--bits', '3'], 'no codes of 3 bits. Choose bits (--bits): 4'],
    [1, ['--type', 'rtn', '--group-size', '32', '--format', 'modelopt', '--no-sym'], 'without --no-sym'],
    [2, ['--type', 'awqq'], 'COPY, awq, gptq, rtn'],
    [1, ['--type', 'Q4_0'], `quern convert ${tiny} --type Q4_0`],
  ])('ends with %i for %j', async (exit, args, words) => {
    const { code, stderr } = await refused(tiny, ...args, '-o', join(folder, 'never'));
    expect(stderr).toContain(words);
    expect(code).toBe(exit);
    expect(existsSync(join(folder, 'never'))).toBe(false);
  });

  it('takes --pre for a checkpoint whose tokenizer nobody knows how to cut for, and for nothing else', async () => {
    const unknown = join(folder, 'unknown-tokenizer');
    cpSync(tiny, unknown, { recursive: true });
    rmSync(join(unknown, 'tokenizer.json'));
    const tekken = JSON.parse(readFileSync(join(models, '../golden/data/rank-lists/tekken.json'), 'utf8'));
    const ranks = tekken.vocab
      .slice(0, 500)
      .map((token: { token_bytes: string }, rank: number) => `${token.token_bytes} ${rank}\n`);
    writeFileSync(join(unknown, 'own.tiktoken'), ranks.join(''));
    writeFileSync(join(unknown, 'tokenizer_config.json'), '{"tokenizer_class": "OwnTokenizer"}');
    const args = ['--type', 'rtn', '--group-size', '32', '--dry-run', '-o', join(folder, 'pre')];
    const without = await refused(unknown, ...args);
    expect([without.code, without.stderr]).toEqual([1, expect.stringContaining('OwnTokenizer')]);
    expect((await quantize(unknown, ...args, '--pre', 'llama-bpe')).code).toBe(0);
    const wrong = await refused(unknown, ...args, '--pre', 'llama-bpee');
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('llama-bpee')]);
    const gguf = join(tiny, 'llama.cpp-bf16.gguf');
    for (const type of ['rtn', 'Q4_0']) {
      const file = await refused(gguf, '--type', type, '--pre', 'llama-bpe', '-o', join(folder, 'pre.gguf'));
      expect([file.code, file.stderr]).toEqual([2, expect.stringContaining('--pre means nothing')]);
    }
  });

  it('refuses a model that is quantized already, with exit code 3, unless told', async () => {
    const file = join(tiny, 'llama.cpp-q8_0.gguf');
    const args = ['--type', 'rtn', '--group-size', '32', '-o', join(folder, 'again')];
    const first = await refused(file, ...args);
    expect(first.code).toBe(3);
    expect(first.stderr).toContain('--allow-requantize');
    expect((await quantize(file, ...args, '--allow-requantize')).code).toBe(0);
  });

  it('folds scales in before a GGUF type, keeps them in a file, and takes them from there', async () => {
    const out = join(folder, 'scaled.gguf');
    const scales = join(folder, 'kept.safetensors');
    const calibration = fast.slice(2);
    const first = await quantize(tiny, '--type', 'Q4_0', '--awq-scales', scales, ...calibration, '-o', out);
    expect(first.code, first.stderr).toBe(0);
    const second = await quantize(tiny, '--type', 'Q4_0', '--awq-scales', scales, '-o', `${out}.2`);
    expect(second.stderr).toContain(`AWQ scales of ${scales} are folded in`);
    expect(readFileSync(`${out}.2`).equals(readFileSync(out))).toBe(true);
    const other = ['--calibration', text, '--samples', '2', '--seq-len', '64'];
    const third = await quantize(tiny, '--type', 'Q4_0', '--awq-scales', scales, ...other, '-o', `${out}.3`);
    expect(third.code).toBe(3);
    expect(third.stderr).toContain('another calibration');
    const view = await openModel(out);
    expect(view.metadata.has('quern.awq_scales.sha256')).toBe(true);
    await view.close();
  });
});

it('a run that is killed goes on behind its last block, to the same bytes', async () => {
  const args = ['--type', 'awq', ...fast];
  const whole = join(folder, 'whole');
  const killed = join(folder, 'killed');
  expect((await quantize(tiny, ...args, '-o', whole)).code).toBe(0);
  const child = startCommand('quantize', tiny, ...args, '-o', killed, '--json');
  const ended = new Promise((resolve) => child.on('close', resolve));
  const journal = `${killed}.partial`;
  const watch = setInterval(() => {
    // Somewhere within the blocks: the folder stands, the end is far.
    if (existsSync(journal)) child.kill('SIGKILL');
  }, 5);
  await ended;
  clearInterval(watch);
  expect(existsSync(killed)).toBe(false);
  const { code, stderr } = await quantize(tiny, ...args, '-o', killed);
  expect(code, stderr).toBe(0);
  expect(bytesOf(killed)).toEqual(bytesOf(whole));
});

/** Reason why no file system can be mounted here, or undefined; then it is mounted. */
function mount(path: string, size: string): string | undefined {
  mkdirSync(path);
  const { status, stderr, error } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path]);
  return status === 0 ? undefined : String(error ?? stderr).trim();
}

const disk = join(folder, 'disk');
const noDisk = mount(disk, '2m');
if (noDisk) console.warn(`Skipping the full disk: ${noDisk}`);
afterAll(() => {
  if (!noDisk) execFileSync('umount', [disk]);
});

it.skipIf(noDisk)('a disk that fills up between two blocks loses nothing', async () => {
  const source = join(folder, 'source');
  cpSync(tiny, source, { recursive: true });
  const view = await openModel(source);
  const method = { name: 'awq', clip: true } as const;
  const sequences = [Int32Array.from({ length: 64 }, (_, i) => (i * i * 13 + 5 * i + 3) % 400)];
  const request = { format: 'awq', bits: 4, groupSize: 32, symmetric: false, method, sequences };
  const run = (dir: string, options: QuantizeOptions = {}) =>
    quantizeModel(view, dir, request, { threads: 1, ...options });
  const whole = join(folder, 'disk-whole');
  await run(whole);
  const out = join(disk, 'out');
  const filler = join(disk, 'filler');
  const fill = () => {
    fillDisk(disk, filler);
  };
  const error = await run(out, { onLayer: ({ block }) => block === 1 && fill() }).catch((caught) => caught);
  expect(error).toMatchObject({ code: 'disk-full' });
  expect(existsSync(out)).toBe(false);
  rmSync(filler);
  expect(await run(out)).toMatchObject({ resumedBlocks: 2 });
  expect(bytesOf(out)).toEqual(bytesOf(whole));
  await view.close();
});
