// `quern convert` and `quern quantize` as a person or a script meets them: names, exit codes, streams.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { commandLine, root } from './cli-fixture.ts';

const tinyLlama = join(root, 'test/models/tiny-llama');
const tinyGguf = join(tinyLlama, 'expected/llama.cpp-bf16.gguf');
const qwen3 = join(root, 'test/models/arch/qwen3');

let folder: string;
beforeEach(() => {
  if (folder) rmSync(folder, { recursive: true, force: true });
  folder = mkdtempSync(join(tmpdir(), 'quern-command-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function quern(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, commandLine(...args), {
    cwd: folder,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

describe('convert', () => {
  test('names the output after the checkpoint and the type it has', () => {
    const { status, stdout } = quern('convert', tinyLlama);
    expect(status).toBe(0);
    expect(readdirSync(folder)).toEqual(['tiny-llama-BF16.gguf']);
    expect(stdout).toMatch(/^BF16: 4\.20M weights, 8\.00 MiB -> 8\.01 MiB, 16\.009 bpw \(tensor data\)$/m);
    expect(stdout).toMatch(/^tiny-llama-BF16\.gguf: 8\.13 MiB, in /m);
  });

  test('quantizes on the way', () => {
    expect(quern('convert', tinyLlama, '--type', 'q4_k_m', '-o', 'small.gguf')).toMatchObject({ status: 0 });
    expect(quern('convert', tinyLlama, '-o', 'big.gguf')).toMatchObject({ status: 0 });
    expect(quern('quantize', 'big.gguf', '--type', 'Q4_K_M', '-o', 'two.gguf', '--threads', '1')).toMatchObject({
      status: 0,
    });
    expect(readFileSync(join(folder, 'small.gguf')).equals(readFileSync(join(folder, 'two.gguf')))).toBe(true);
  });

  test('prints one JSON document on stdout and JSON lines on stderr', () => {
    const { status, stdout, stderr } = quern('convert', tinyLlama, '--type', 'Q8_0', '--json');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      fileType: 'Q8_0',
      tensorCount: 38,
      parameters: 4196608,
      fallbacks: [],
      path: 'tiny-llama-Q8_0.gguf',
      resumedTensors: 0,
    });
    for (const line of stderr.trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('progress', 'convert');
  });

  test('a dry run shows every tensor and writes nothing', () => {
    const { status, stdout } = quern('convert', qwen3, '--type', 'Q4_K_M', '--dry-run');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^blk\.0\.ffn_gate\.weight +128x64 +BF16 +Q5_0 .*no multiple of 256/m);
    expect(stdout).toMatch(/^\d+ of 47 tensors fell back to another type:$/m);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('--mmproj writes the towers beside a quantized model, in the type of the checkpoint', () => {
    const wrapper = join(root, 'test/models/arch/qwen35-vl-wrapper');
    const { status, stdout } = quern('convert', '--mmproj', wrapper, '--type', 'Q4_K_M', '--json');
    expect(status).toBe(0);
    const files = ['mmproj-qwen35-vl-wrapper-BF16.gguf', 'qwen35-vl-wrapper-Q4_K_M.gguf'];
    expect(readdirSync(folder).sort()).toEqual(files);
    const { mmproj, fileType, tensorCount } = JSON.parse(stdout);
    expect([fileType, tensorCount]).toEqual(['Q4_K_M', 70]);
    expect(mmproj).toMatchObject({ path: expect.stringMatching(files[0]!), fileType: 'BF16', tensorCount: 22 });
  });

  test('--strict refuses fallbacks with exit code 3', () => {
    const { status, stdout } = quern('convert', qwen3, '--type', 'Q4_K_M', '--strict', '--json');
    expect(status).toBe(3);
    expect(JSON.parse(stdout).error.code).toBe('refused-fallback');
    expect(readdirSync(folder)).toEqual([]);
  });

  test('an unknown architecture is refused before anything is written', () => {
    expect(quern('convert', join(root, 'test/models/text')).status).toBe(1);
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('quantize', () => {
  test('puts the output beside the input, the type in its name', () => {
    copyFileSync(tinyGguf, join(folder, 'tiny-BF16.gguf'));
    expect(quern('quantize', 'tiny-BF16.gguf', '--type', 'Q6_K')).toMatchObject({ status: 0 });
    expect(existsSync(join(folder, 'tiny-Q6_K.gguf'))).toBe(true);
  });

  test('refuses what exists with exit code 3, unless forced', () => {
    copyFileSync(tinyGguf, join(folder, 'tiny-BF16.gguf'));
    const command = ['quantize', 'tiny-BF16.gguf', '--type', 'Q8_0'];
    expect(quern(...command).status).toBe(0);
    expect(quern(...command)).toMatchObject({ status: 3, stderr: expect.stringContaining('--force') });
    expect(quern(...command, '--force').status).toBe(0);
  });

  test.each([
    [['quantize', tinyGguf]],
    [['quantize', tinyGguf, '--type', 'Q9_X']],
    [['quantize', tinyGguf, '--type', 'Q8_0', '--threads', 'many', '-o', 'x.gguf']],
    [['quantize', tinyGguf, '--type', 'Q8_0', '--on-overflow', 'maybe']],
    [['convert', tinyGguf]],
  ])('a wrong command line exits with 2: %j', (args) => {
    const { status, stderr } = quern(...args);
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringMatching(/^error: /) });
    expect(readdirSync(folder)).toEqual([]);
  });

  test.each(['convert', 'quantize'])('%s --help has examples', (command) => {
    expect(quern(command, '--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('Examples:') });
  });
});
