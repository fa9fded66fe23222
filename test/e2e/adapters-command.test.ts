// Adapters on the command line: merged as a model is converted or quantized, converted themselves, and refused.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openGgufModel } from '@quern/checkpoint';
import { afterAll, expect, it } from 'vitest';
import { knownTensor, writeAdapterFolder } from '../adapter-folder.ts';
import { commandLine, root } from './cli-fixture.ts';

const tinyLlama = join(root, 'test/models/tiny-llama');
const folder = mkdtempSync(join(tmpdir(), 'quern-command-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const module = 'base_model.model.model.layers.0.mlp.up_proj';
const [a, b] = [
  knownTensor(`${module}.lora_A.weight`, [2, 256], 1),
  knownTensor(`${module}.lora_B.weight`, [768, 2], 2),
];
writeAdapterFolder(join(folder, 'adapter'), { peft_type: 'LORA', r: 2, lora_alpha: 4 }, [a, b]);

function quern(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, commandLine(...args), {
    cwd: folder,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

async function upOf(file: string): Promise<Float32Array> {
  const view = await openGgufModel(join(folder, file));
  const tensor = view.tensors.get('blk.0.ffn_up.weight')!;
  expect(tensor.dtype.name).toBe('F32');
  const bytes = new Uint8Array(tensor.rows * tensor.rowBytes);
  await tensor.readRows(0, tensor.rows, bytes);
  await view.close();
  return new Float32Array(bytes.buffer);
}

it('convert and quantize add scale · alpha/rank · B·A to the weights, PEFT folder or GGUF', async () => {
  expect(quern('convert', tinyLlama, '--type', 'f32', '-o', 'base.gguf')).toMatchObject({ status: 0 });
  const merged = quern('convert', tinyLlama, '--type', 'f32', '--lora', 'adapter:0.5', '-o', 'merged.gguf');
  expect(merged).toMatchObject({
    status: 0,
    stderr: expect.stringMatching(/merged into 1 weights: adapter \(scale 0\.5\)/),
  });
  const [before, after] = [await upOf('base.gguf'), await upOf('merged.gguf')];
  for (const [i, value] of before.entries()) {
    const [row, col] = [Math.floor(i / 256), i % 256];
    const product = b.values[2 * row]! * a.values[col]! + b.values[2 * row + 1]! * a.values[256 + col]!;
    expect(after[i]).toBeCloseTo(value + 0.5 * 2 * product, 6);
  }

  expect(quern('convert-lora', 'adapter', '--base', tinyLlama)).toMatchObject({ status: 0 });
  expect(
    quern('quantize', 'base.gguf', '--type', 'F32', '--lora', 'adapter-F32.gguf:0.5', '-o', 'again.gguf'),
  ).toMatchObject({
    status: 0,
  });
  expect(await upOf('again.gguf')).toEqual(after);

  const text = join(root, 'test/models/text/prose-test.txt');
  const measured = (...args: string[]) => {
    const { status, stdout, stderr } = quern(
      'eval',
      ...args,
      '--text',
      text,
      '-c',
      '32',
      '--chunks',
      '2',
      '--json',
      '-q',
    );
    expect(stderr).toBe('');
    expect(status).toBe(0);
    return JSON.parse(stdout);
  };
  const state = ['--state', 'windows'];
  const apart = measured('base.gguf', 'merged.gguf', '--base', 'base.gguf', ...state).models;
  const applied = measured('base.gguf', '--base', 'base.gguf', '--lora-scaled', 'adapter:0.5', ...state).models[0];
  expect(applied.model).toBe('base.gguf + adapter:0.5');
  expect(Math.abs(apart[0].divergence.kld.value)).toBeLessThan(1e-7);
  expect(apart[1].divergence.kld.value).toBeGreaterThan(1e-6);
  expect(applied.divergence.kld.value).toBeCloseTo(apart[1].divergence.kld.value, 7);
  expect(applied.ppl).toBeCloseTo(apart[1].ppl, 3);
  expect(applied.ppl).not.toBe(apart[0].ppl);
});

it('quantizes what it has merged as in two steps', () => {
  const lora = ['--lora', 'adapter'];
  expect(quern('convert', tinyLlama, ...lora, '--type', 'Q4_K_M', '-o', 'small.gguf')).toMatchObject({ status: 0 });
  expect(quern('convert', tinyLlama, ...lora, '-o', 'big.gguf')).toMatchObject({ status: 0 });
  expect(quern('quantize', 'big.gguf', '--type', 'Q4_K_M', '-o', 'two.gguf')).toMatchObject({ status: 0 });
  expect(readFileSync(join(folder, 'small.gguf')).equals(readFileSync(join(folder, 'two.gguf')))).toBe(true);
  expect(quern('quantize', 'small.gguf', '--type', 'Q8_0', '--allow-requantize', ...lora)).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/blk\.0\.ffn_up\.weight is stored as Q4_K/),
  });
});

it.each([
  [['convert', 'adapter'], /LoRA.*quern convert BASE --lora/],
  [['convert', tinyLlama, '--lora', 'nothing'], /no such file or folder.*nothing/i],
  [['convert', tinyLlama, '--to', 'hf', '--lora', 'adapter'], /--lora means nothing with --to hf/],
  [['quantize', 'base.gguf', '--target-bpw', '4', '--lora', 'adapter'], /--lora goes with --type/],
  [['convert-lora', 'adapter'], /--base/],
  [['convert-lora', 'adapter', '--base', tinyLlama, '--type', 'Q4_K_M'], /cannot be of the type Q4_K_M/],
  [['serve', tinyLlama, '--lora-scaled', 'adapter'], /FILE:SCALE/],
])('%j is refused', (args, message) => {
  const { status, stderr } = quern(...args);
  expect(status).not.toBe(0);
  expect(stderr).toMatch(message);
});
