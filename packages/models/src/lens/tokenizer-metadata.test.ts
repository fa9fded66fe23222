// The tokenizer package has its own tests; here only what the architecture record adds, and that preflight asks it.
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type HfCheckpoint, openHfCheckpoint } from '@quern/checkpoint';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { llama } from '../arch/llama.ts';
import { qwen2 } from '../arch/qwen2.ts';
import { hfModelView } from './hf-model-view.ts';
import { tokenizerMetadata } from './tokenizer-metadata.ts';

let checkpoint: HfCheckpoint;
beforeEach(async () => {
  checkpoint = await openHfCheckpoint(fileURLToPath(new URL('../../../../test/models/arch/llama3', import.meta.url)));
});
afterEach(() => checkpoint.close());

describe('tokenizerMetadata', () => {
  it('takes BOS from Granite and SmolLM, known by 49,152 tokens, where the key stood', async () => {
    const usual = await tokenizerMetadata(checkpoint, llama, 49153);
    const fixed = await tokenizerMetadata(checkpoint, llama, 49152);
    expect(usual.get('tokenizer.ggml.add_bos_token')?.value).toBe(true);
    expect(fixed.get('tokenizer.ggml.add_bos_token')?.value).toBe(false);
    expect([...fixed.keys()]).toEqual([...usual.keys()]);
  });

  it("ends CodeLlama's fill-in-the-middle turns, known by 32,016 tokens", async () => {
    expect((await tokenizerMetadata(checkpoint, llama, 32016)).get('tokenizer.ggml.eot_token_id')?.value).toBe(32010);
  });

  it('leaves other architectures of the same sizes alone', async () => {
    expect((await tokenizerMetadata(checkpoint, qwen2, 49152)).get('tokenizer.ggml.add_bos_token')?.value).toBe(true);
  });
});

describe('preflight', () => {
  const withTokenizer = (text: string | undefined): HfCheckpoint => ({
    ...checkpoint,
    readText: async (name) => (name === 'tokenizer.json' ? text : checkpoint.readText(name)),
    tensors: new Map(),
  });

  it.each([
    ['unknown', '{"model": {"type": "WordLevel", "vocab": {}}}', 'tokenizer-kind-unsupported'],
    ['broken', '{"model": ', 'tokenizer-json-malformed'],
    ['missing', undefined, 'tokenizer-missing'],
  ])('refuses a tokenizer that is %s before it looks at the tensors', async (_, text, code) => {
    await expect(hfModelView(withTokenizer(text))).rejects.toMatchObject({
      code,
      file: expect.stringContaining(checkpoint.path),
    });
  });

  it('names the file once when it cannot even be opened, as a Git LFS pointer', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'quern-'));
    const file = join(folder, 'tokenizer_config.json');
    try {
      await cp(checkpoint.path, folder, { recursive: true });
      await writeFile(file, 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n');
      const cloned = await openHfCheckpoint(folder);
      try {
        await expect(hfModelView(cloned)).rejects.toMatchObject({ code: 'source-lfs-pointer', file });
      } finally {
        await cloned.close();
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
