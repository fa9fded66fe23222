// Folders as PEFT's save_pretrained and mlx-lm write them.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openHfCheckpoint } from './hf-checkpoint.ts';
import { locateCheckpoint } from './locate.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'quern-adapter-'));
});
afterEach(() => rm(dir, { recursive: true }));

const peft = '{"peft_type": "LORA", "base_model_name_or_path": "some/base", "lora_alpha": NaN}';
it.each<[string, Record<string, string>, RegExp]>([
  [
    'safetensors',
    { 'adapter_config.json': peft, 'adapter_model.safetensors': 'x' },
    /an adapter \(LoRA\) of "some\/base"/,
  ],
  ['torch.save', { 'adapter_config.json': peft, 'adapter_model.bin': 'x' }, /an adapter \(LoRA\) of "some\/base"/],
  [
    'a tokenizer and config.json beside it',
    { 'config.json': '{}', 'adapter_config.json': peft, 'adapter_model.safetensors': 'x' },
    /"some\/base"/,
  ],
  [
    'another kind',
    { 'adapter_config.json': peft.replace('LORA', 'IA3'), 'adapter_model.safetensors': 'x' },
    /an adapter \(IA3\)/,
  ],
  [
    'mlx-lm',
    {
      'adapter_config.json': '{"model": "some/base"}',
      'adapters.safetensors': 'x',
      '0000100_adapters.safetensors': 'x',
    },
    /an adapter \(LoRA\) of "some\/base"/,
  ],
  ['no settings', { 'adapter_model.safetensors': 'x' }, /only an adapter \(LoRA\), not/],
  [
    'broken settings',
    { 'adapter_config.json': '{', 'adapter_model.safetensors': 'x' },
    /only an adapter \(LoRA\), not/,
  ],
])('a folder that holds only an adapter says so, and of which base: %s', async (_, files, text) => {
  for (const [name, content] of Object.entries(files)) await writeFile(join(dir, name), content);
  for (const open of [locateCheckpoint, openHfCheckpoint]) {
    const error = await open(dir).catch((caught) => caught);
    expect(error).toMatchObject({ code: 'checkpoint-adapter-only', file: dir, message: expect.stringMatching(text) });
    expect(error.remedy).toMatch(/merge_and_unload.*save_pretrained/);
  }
});
