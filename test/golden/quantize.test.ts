// Files that we quantize against what llama-quantize wrote for the same input (tiny-llama/expected/quantize.tsv): type
// and bytes of every tensor, in order. The input is llama.cpp's own conversion.
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TranscodePool } from '@quern/blocks';
import { openGgufModel, type TensorView } from '@quern/checkpoint';
import { fileTypes, planTypes, writeModel } from '@quern/kquant';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const expected = join(import.meta.dirname, '../models/tiny-llama/expected');
const input = join(expected, 'llama.cpp-bf16.gguf');
const recorded = readFileSync(join(expected, 'quantize.tsv'), 'utf8')
  .split('\n')
  .map((line) => line.split('\t'))
  .filter(([, imatrix]) => imatrix === 'none');

let folder: string;
let pool: TranscodePool;
beforeAll(async () => {
  pool = await TranscodePool.create({ threads: 2 });
  folder = mkdtempSync(join(tmpdir(), 'quern-golden-'));
});
afterAll(async () => {
  await pool.close();
  rmSync(folder, { recursive: true, force: true });
});

async function sha256(tensor: TensorView): Promise<string> {
  const bytes = new Uint8Array(tensor.rows * tensor.rowBytes);
  await tensor.readRows(0, tensor.rows, bytes);
  return createHash('sha256').update(bytes).digest('hex');
}

describe('llama-quantize, tensor by tensor', () => {
  // llama-quantize has no recorded F32 file; conversions.test.ts has.
  for (const { name: fileType } of fileTypes.filter((row) => row.name !== 'F32')) {
    test(fileType, async () => {
      const output = join(folder, `${fileType}.gguf`);
      const model = await openGgufModel(input);
      await writeModel(model, planTypes(model, fileType), output, { pool });
      await model.close();

      const written = await openGgufModel(output);
      const ours: string[] = [];
      for (const tensor of written.tensors.values()) {
        ours.push([tensor.name, tensor.dtype.name, await sha256(tensor)].join('\t'));
      }
      await written.close();
      const theirs = recorded.filter(([type]) => type === fileType).map((row) => row.slice(2).join('\t'));
      expect(theirs.length).toBe(38);
      expect(ours).toEqual(theirs);
    });
  }
});
