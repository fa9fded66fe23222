// The umbrella command as a process: help, exit codes, inspect, tokenize, logits.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSafetensors } from '@quern/safetensors';
import { openFile } from '@quern/source';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { briefCommand, root, runCommand } from './cli-fixture.ts';

const models = join(root, 'test/models');
const tinyLlama = join(models, 'tiny-llama');
const tinyGguf = join(tinyLlama, 'expected/llama.cpp-bf16.gguf');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'quern-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('quern', () => {
  it('lists its commands with --help and leaves with 0', async () => {
    const { code, stdout, stderr } = await runCommand('--help');
    expect(code).toBe(0);
    expect(stderr).toBe('');
    for (const name of ['convert', 'quantize', 'eval', 'serve', 'inspect', 'tokenize', 'logits']) {
      expect(stdout).toMatch(new RegExp(`^ +${name} `, 'm'));
    }
  });

  it.each(['convert', 'quantize', 'eval', 'serve', 'inspect', 'tokenize', 'logits'])(
    '%s --help has examples',
    async (name) => {
      const { code, stdout } = await runCommand(name, '--help');
      expect(code).toBe(0);
      expect(stdout).toContain(`Usage: quern ${name}`);
      expect(stdout).toMatch(new RegExp(`Examples:\\n.*quern ${name}`));
      expect(await briefCommand('help', name)).toMatchObject({ code: 0, stdout });
    },
  );

  it('prints the version of its package', async () => {
    const { version } = JSON.parse(readFileSync(join(root, 'apps/quern/package.json'), 'utf8'));
    expect(await runCommand('--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it.each([
    ['an unknown command', ['quantise'], /Unknown command 'quantise'\. Did you mean quantize\?/],
    ['an unknown option', ['inspect', tinyGguf, '--colour'], /Unknown option '--colour'/],
    ['a missing argument', ['tokenize'], /Missing required argument 'model'[\s\S]*Usage: quern tokenize .*<model>/],
    ['no text', ['tokenize', tinyGguf], /--text or --file/],
    ['no ids', ['logits', tinyGguf], /--ids or --ids-file/],
  ])('leaves with 2 on %s', async (_, args, message) => {
    const { code, stdout, stderr } = await briefCommand(...args);
    expect(stderr).toMatch(message);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });

  it('leaves with 1 when a model is not there, and says so in JSON when asked', async () => {
    const { code, stderr } = await runCommand('inspect', 'no/such.gguf');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: There is no such file or folder\. \(file no\/such\.gguf\)/);
    const json = await runCommand('inspect', 'no/such.gguf', '--json');
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout).error).toMatchObject({ code: expect.stringMatching(/not-found/) });
  });
});

describe('quern inspect', () => {
  it('describes a folder and a GGUF file alike', async () => {
    const [fromFolder, fromFile] = await Promise.all(
      [tinyLlama, tinyGguf].map(async (model) => JSON.parse((await runCommand('inspect', model, '--json')).stdout)),
    );
    for (const description of [fromFolder, fromFile]) {
      // 4 blocks of (2·256·256 + 2·128·256 + 3·768·256 + 2·256), 4096·256 tied embeddings, the final norm.
      expect(description).toMatchObject({
        architecture: 'llama',
        parameters: 4 * (2 * 256 * 256 + 2 * 128 * 256 + 3 * 768 * 256 + 2 * 256) + 4096 * 256 + 256,
        tensorCount: 38,
        kvBytesPerToken: { f32: 4 * 4 * 2 * 2 * 64, f16: 2 * 4 * 2 * 2 * 64 },
        hyperparameters: { blockCount: 4, embeddingLength: 256, headCount: 4, headCountKv: 2, contextLength: 2048 },
        chatTemplate: true,
      });
      expect(description.tensors).toHaveLength(38);
      expect(description.metadata['general.architecture']).toBe('llama');
    }
    expect(fromFile.bitsPerWeight).toBeCloseTo(16.009, 3);
    expect(fromFile.tensors[0]).toEqual({
      name: 'token_embd.weight',
      type: 'BF16',
      shape: [4096, 256],
      bytes: 2 ** 21,
    });
  });

  it('prints a page for people, tensors and metadata on request', async () => {
    const { stdout } = await runCommand('inspect', tinyGguf, '--tensors', '--metadata');
    expect(stdout).toMatch(/^architecture +llama$/m);
    expect(stdout).toMatch(/^BF16 +29 +/m);
    expect(stdout).toMatch(/^blk\.3\.ffn_down\.weight +BF16 +\[256, 768\]/m);
    expect(stdout).toMatch(/^tokenizer\.ggml\.tokens +string\[4096\] +<\|begin_of_text/m);
    expect(stdout).toMatch(/^file type +BF16$/m);
  });
});

describe('quern tokenize', () => {
  const recorded = JSON.parse(readFileSync(join(tinyLlama, 'expected/tokens.json'), 'utf8'));

  it("gives transformers' ids", async () => {
    const [{ text, ids }] = recorded;
    const { stdout } = await runCommand('tokenize', tinyLlama, '--text', text, '--json');
    expect(JSON.parse(stdout)).toMatchObject({ ids, tokenCount: ids.length });
  });

  it('recognises special tokens only when told to', async () => {
    const text = '<|im_start|>user';
    const idsOf = async (...options: string[]) =>
      JSON.parse((await briefCommand('tokenize', tinyGguf, '--text', text, '--json', ...options)).stdout).ids;
    expect(await idsOf('--special')).toEqual([2, 323]);
    expect(await idsOf('--special', '--add-special')).toEqual([0, 2, 323]);
    expect(await idsOf()).not.toContain(2);
  });

  it('reads a file whole and shows parts of characters as such', async () => {
    const file = join(folder, 'text.txt');
    writeFileSync(file, 'ö\n');
    const { stdout } = await runCommand('tokenize', tinyGguf, '--file', file);
    expect(stdout.split('\n')[0]).toMatch(/^ *# +id +text$/);
    expect(stdout).toContain('"\\n"');
  });
});

describe('quern logits', () => {
  const readTensor = async (file: string, name: string) => {
    const source = await openFile(file);
    const { tensors } = await openSafetensors(source);
    const { begin, end, shape, dtype } = tensors.get(name)!;
    const bytes = (await source.read(begin, end - begin)).slice().buffer;
    await source.close();
    return { bytes, shape, dtype: dtype.name };
  };
  const recordedFile = join(models, 'arch/llama3/expected.safetensors');

  it.each(['cpu', 'reference'])('on the %s device gives the logits that transformers recorded', async (device) => {
    const recordedIds = await readTensor(recordedFile, 'input_ids');
    const ids = [...new Int32Array(recordedIds.bytes)].slice(0, 48);
    const idsFile = join(folder, 'ids.json');
    writeFileSync(idsFile, JSON.stringify(ids));
    const output = join(folder, `${device}.safetensors`);
    const model = join(models, 'arch/llama3');
    const result = await runCommand('logits', model, '--ids-file', idsFile, '-o', output, '--device', device, '--json');
    expect(JSON.parse(result.stdout)).toMatchObject({ tokenCount: 48, vocabSize: 512, path: output });
    const logits = await readTensor(output, 'logits');
    expect(logits).toMatchObject({ shape: [48, 512], dtype: 'F32' });
    expect(await readTensor(output, 'input_ids')).toMatchObject({ shape: [48], dtype: 'I32' });
    const ours = new Float32Array(logits.bytes);
    const theirs = new Float32Array((await readTensor(recordedFile, 'logits')).bytes).subarray(0, ours.length);
    const largest = ours.reduce((most, value, i) => Math.max(most, Math.abs(value - theirs[i]!)), 0);
    expect(largest).toBeLessThan(1e-3);
  });

  it.each([
    ['a token outside the vocabulary', '0,4096', /Token 4096 at position 1 .* 4096 tokens/],
    ['something that is no id', '1,two', /"two" is no token id/],
    ['an empty list', ' ', /no token ids/],
    ['a negative id', '1 -2', /"-2" is no token id/],
  ])('refuses %s and writes nothing', async (_, ids, message) => {
    const output = join(folder, 'refused.safetensors');
    const { code, stderr } = await briefCommand('logits', tinyGguf, '--ids', ids, '-o', output);
    expect(stderr).toMatch(message);
    expect(code).toBe(1);
    expect(() => readFileSync(output)).toThrow(/ENOENT/);
  });
});
