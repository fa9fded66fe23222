// Conversions against the files that convert_hf_to_gguf.py wrote from the same checkpoints: names, order, types, shapes
// and bytes of every tensor. The metadata is compared in test/golden/convert-metadata.test.ts.
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TranscodePool } from '@quern/blocks';
import { openGgufModel } from '@quern/checkpoint';
import { conversionType, planConversion, writeModel } from '@quern/kquant';
import { openModel } from '@quern/models';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { differences } from './gguf-difference.ts';

const models = join(import.meta.dirname, '../models');
const golden = ['llama-spm', 'llama3', 'mistral', 'qwen2', 'qwen3', 'mixtral', 'qwen2moe', 'qwen3moe'].flatMap((arch) =>
  readdirSync(join(models, 'arch', arch))
    .filter((name) => name.startsWith('llama.cpp-'))
    .map((name) => ({ checkpoint: join('arch', arch), file: join('arch', arch, name), type: name.slice(10, -5) })),
);
golden.push({ checkpoint: 'tiny-llama', file: 'tiny-llama/expected/llama.cpp-bf16.gguf', type: 'bf16' });

let folder: string;
let pool: TranscodePool;
beforeAll(async () => {
  pool = await TranscodePool.create({ threads: 2 });
  folder = mkdtempSync(join(tmpdir(), 'quern-convert-'));
});
afterAll(async () => {
  await pool.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('convert_hf_to_gguf.py, tensor by tensor', () => {
  for (const { checkpoint, file, type } of golden) {
    test(`${checkpoint} as ${type}`, async () => {
      const output = join(folder, 'out.gguf');
      const model = await openModel(join(models, checkpoint));
      await writeModel(model, planConversion(model, conversionType(type)!), output, { pool, force: true });
      await model.close();
      expect(existsSync(`${output}.partial`)).toBe(false);

      const [ours, theirs] = await Promise.all([openGgufModel(output), openGgufModel(join(models, file))]);
      expect(theirs.tensors.size).toBeGreaterThan(10);
      expect(await differences(ours, theirs)).toEqual([]);
      for (const key of ['general.file_type', 'general.quantization_version']) {
        expect(ours.metadata.get(key), key).toEqual(theirs.metadata.get(key));
      }
      await Promise.all([ours.close(), theirs.close()]);
    });
  }
});
