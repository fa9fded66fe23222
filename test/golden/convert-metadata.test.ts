// The lens against llama.cpp's converter: what quern sees in a checkpoint is what convert_hf_to_gguf.py wrote from it, key
// for key and tensor for tensor. The golden files are test/models/**/llama.cpp-<type>.gguf.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bf16ToF32 } from '@quern/blocks';
import { type ModelView, openGgufModel, type TensorView } from '@quern/checkpoint';
import { convertedDtype, openModel, type PlainFileType } from '@quern/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const models = fileURLToPath(new URL('../models', import.meta.url));

interface Case {
  checkpoint: string;
  golden: string;
  fileType: PlainFileType;
  name?: string;
}

const cases: Case[] = [
  ...['llama-spm', 'llama3', 'mistral', 'qwen2', 'qwen3', 'mixtral', 'qwen2moe', 'qwen3moe'].map((name) => ({
    checkpoint: `arch/${name}`,
    golden: `arch/${name}/llama.cpp-bf16.gguf`,
    fileType: 'BF16' as const,
  })),
  ...['llama-spm', 'llama3'].flatMap((name) =>
    (['F32', 'F16', 'Q8_0'] as const).map((fileType) => ({
      checkpoint: `arch/${name}`,
      golden: `arch/${name}/llama.cpp-${fileType.toLowerCase()}.gguf`,
      fileType,
    })),
  ),
  // The converter was told `--model-name tiny-llama`.
  { checkpoint: 'tiny-llama', golden: 'tiny-llama/expected/llama.cpp-bf16.gguf', fileType: 'BF16', name: 'tiny-llama' },
];

describe.each(cases)('$golden', ({ checkpoint, golden, fileType, name }) => {
  let ours: ModelView;
  let theirs: ModelView;
  beforeAll(async () => {
    ours = await openModel(join(models, checkpoint), { fileType, name });
    theirs = await openGgufModel(join(models, golden));
  });
  afterAll(() => Promise.all([ours?.close(), theirs?.close()]));

  it('has the same metadata keys in the same order, with the same types and values', () => {
    expect([...ours.metadata.keys()]).toEqual([...theirs.metadata.keys()]);
    for (const [key, value] of theirs.metadata) expect({ [key]: ours.metadata.get(key) }).toEqual({ [key]: value });
  });

  it('has the same tensors in the same order, with the same shapes', () => {
    const layout = ({ tensors }: ModelView) => [...tensors.values()].map(({ name, shape }) => [name, shape]);
    expect(layout(ours)).toEqual(layout(theirs));
  });

  it('gives every tensor the same type', () => {
    for (const { name, shape, dtype } of theirs.tensors.values()) {
      expect(`${name} ${convertedDtype(name, shape, fileType).name}`).toBe(`${name} ${dtype.name}`);
    }
  });

  it('reads the same weights, where the golden file holds them exactly', async () => {
    let compared = 0;
    for (const tensor of theirs.tensors.values()) {
      if (tensor.dtype.name !== 'F32' && tensor.dtype.name !== 'BF16') continue;
      const lensed = ours.tensors.get(tensor.name);
      if (!lensed) throw new Error(`no ${tensor.name}`);
      // vitest's deep equality is slow on a million numbers.
      expect(Buffer.compare(await bits(lensed), await bits(tensor)), tensor.name).toBe(0);
      compared++;
    }
    expect(compared).toBeGreaterThan(0);
  });
});

describe('--type auto', () => {
  it('takes the type of the stored matrices, as the converter does', async () => {
    const view = await openModel(join(models, 'arch/qwen3'));
    expect(view.metadata.get('general.file_type')).toEqual({ type: 'uint32', value: 32 });
    await view.close();
  });
});

/** All weights as float32 bytes: exact for F32 and BF16. */
async function bits(tensor: TensorView): Promise<Buffer> {
  const raw = new Uint8Array(tensor.rows * tensor.rowBytes);
  await tensor.readRows(0, tensor.rows, raw);
  if (tensor.dtype.name === 'F32') return Buffer.from(raw.buffer);
  return Buffer.from(Float32Array.from(new Uint16Array(raw.buffer), bf16ToF32).buffer);
}
