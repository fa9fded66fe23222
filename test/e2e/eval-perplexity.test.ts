// `quern eval` against llama-perplexity's own figures (test/models/tiny-llama/expected/perplexity.tsv: the first 60,000
// bytes of each text).
//
// Tolerances. llama.cpp keeps keys and values in F16, and multiplies F16 weights by activations rounded to F16, BF16 by
// BF16; quern computes with F32 activations. That moves the figure by about 1e-5. For quantized weights llama.cpp also
// quantizes the activations to 8 bits (Q8_0, or Q8_K with one scale per 256 values), whose noise moves the figure by up
// to 1e-3 in either direction; the steps between the types are larger than that.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { briefCommand, root, runCommand, runCommands } from './cli-fixture.ts';

const models = join(root, 'test/models');
const data = process.env.QUERN_DATA ?? join(root, '../shared/data');
const scoredBytes = 60_000;
const plain = 3e-5;
const quantized = 1e-3;
/** Of the figure's own ± column, which the same noise moves. */
const errorTolerance = 3e-3;

/** Our file type, the name in perplexity.tsv, the relative tolerance. */
const types = [
  ['f32', 'f32', plain],
  ['f16', 'f16', plain],
  ['bf16', 'bf16', plain],
  ['Q8_0', 'Q8_0-none', quantized],
  ['Q6_K', 'Q6_K-none', quantized],
  ['Q4_K_M', 'Q4_K_M-none', quantized],
  ['Q4_0', 'Q4_0-none', quantized],
] as const;

const expected = new Map(
  readFileSync(join(models, 'tiny-llama/expected/perplexity.tsv'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => {
      const [model, text, figure] = line.split('\t') as [string, string, string];
      const [ppl, error] = figure.split(' +/- ').map(Number) as [number, number];
      return [`${model} ${text}`, { ppl, error }];
    }),
);

let folder: string;
const file = (type: string) => join(folder, `${type}.gguf`);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'quern-eval-'));
  const convert = ['convert', join(models, 'tiny-llama'), '--type'];
  for (const { code, stderr } of await runCommands(types.map(([type]) => [...convert, type, '-o', file(type)])))
    if (code !== 0) throw new Error(stderr);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('quern eval', () => {
  for (const [name, path, measured] of [
    ['prose-test.txt', join(models, 'text/prose-test.txt'), types],
    // A second text, with lines and signs that the first has not: types are told apart by the first.
    ['wiki.test.raw', join(data, 'text/wiki.test.raw'), types.slice(0, 1)],
  ] as const) {
    it(`agrees with llama-perplexity on ${name}`, async (context) => {
      if (!existsSync(path)) context.skip(`${path} is not here (see QUERN_DATA)`);
      const text = join(folder, name);
      writeFileSync(text, readFileSync(path).subarray(0, scoredBytes));
      const files = measured.map(([type]) => file(type));
      const { code, stdout, stderr } = await runCommand(
        'eval',
        ...files,
        '--text',
        text,
        '--threads',
        '1',
        '--json',
        '-q',
      );
      expect(stderr).toBe('');
      expect(code).toBe(0);
      const results = JSON.parse(stdout).models;
      for (const [index, [type, reference, tolerance]] of measured.entries()) {
        const { ppl, error, model, windows, tokensScored } = results[index];
        const wanted = expected.get(`${reference} ${name}`)!;
        expect(model).toBe(file(type));
        expect(tokensScored).toBe(windows * 255);
        expect(Math.abs(ppl / wanted.ppl - 1), `${type}: ${ppl} for ${wanted.ppl}`).toBeLessThan(tolerance);
        expect(Math.abs(error / wanted.error - 1), `± of ${type}`).toBeLessThan(errorTolerance);
      }
    });
  }

  it('prints one table, and keeps the figures of the good models when one is bad', async () => {
    const text = join(models, 'text/prose-test.txt');
    const options = ['--text', text, '--chunks', '2', '--ctx-size', '64'];
    const { code, stdout, stderr } = await runCommand('eval', file('f32'), 'no-such.gguf', file('Q4_0'), ...options);
    expect(code).toBe(1);
    expect(stderr).toMatch(/no-such\.gguf: .*no such file/i);
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(4);
    expect(lines[0]).toMatch(/^model +file size +bits\/weight +PPL +± +tokens\/s$/);
    expect(lines[1]).toMatch(/f32\.gguf +16\.1 MiB +32\.000 +\d+\.\d{4} +\d+\.\d{4} +\d+$/);
    expect(lines[2]).toMatch(/^no-such\.gguf +failed$/);
    expect(lines[3]).toMatch(/Q4_0\.gguf +2\.\d\d MiB +5\.\d{3} +/);
  });

  it('takes a checkpoint folder and gives the figures of its conversion', async () => {
    const options = ['--text', join(models, 'text/prose-test.txt'), '--chunks', '2', '--json', '-q'];
    const { stdout } = await runCommand('eval', join(models, 'tiny-llama'), file('bf16'), ...options);
    const [folderResult, fileResult] = JSON.parse(stdout).models;
    expect(folderResult.ppl).toBe(fileResult.ppl);
    expect(folderResult.parameters).toBe(fileResult.parameters);
  });

  it.each([
    ['a short text', 'short', /at least 1024/, 1],
    ['a text that is not UTF-8', '\xff\xfe'.repeat(9999), /not valid UTF-8/, 1],
  ])('refuses %s', async (_, content, message, exitCode) => {
    const text = join(folder, 'text.txt');
    writeFileSync(text, content, 'latin1');
    const { code, stderr } = await briefCommand('eval', file('Q8_0'), '--text', text);
    expect(stderr).toMatch(message);
    expect(code).toBe(exitCode);
  });

  it('refuses a wrong number with a usage error', async () => {
    const { code, stderr } = await briefCommand('eval', file('Q8_0'), '--text', 'x', '--ctx-size', 'many');
    expect(stderr).toMatch(/--ctx/);
    expect(code).toBe(2);
  });
});
