// Files that we quantize against what llama-quantize wrote for the same input (tiny-llama/expected/quantize.tsv): type
// and bytes of every tensor, in order, with and without the importance matrix, and refusals where it refused. The input
// is llama.cpp's own conversion.
import { createHash } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { TranscodePool } from '@quern/blocks';
import { type ModelView, openGgufModel, type TensorView } from '@quern/checkpoint';
import { type ImportanceSource, openImportance, planTypes, writeModel } from '@quern/kquant';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { scratchFolder } from './scratch-folder.ts';

const expected = join(import.meta.dirname, '../models/tiny-llama/expected');
const recorded = readFileSync(join(expected, 'quantize.tsv'), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => line.split('\t'));

let folder: string;
let pool: TranscodePool;
let model: ModelView;
let imatrix: ImportanceSource;
beforeAll(async () => {
  pool = await TranscodePool.create({ threads: 2 });
  folder = scratchFolder('quern-golden-');
  model = await openGgufModel(join(expected, 'llama.cpp-bf16.gguf'));
  imatrix = await openImportance(join(expected, 'imatrix.gguf'), model);
});
afterAll(async () => {
  await Promise.all([pool.close(), model.close(), imatrix.close()]);
  rmSync(folder, { recursive: true, force: true });
});

async function sha256(tensor: TensorView): Promise<string> {
  const bytes = new Uint8Array(tensor.rows * tensor.rowBytes);
  await tensor.readRows(0, tensor.rows, bytes);
  return createHash('sha256').update(bytes).digest('hex');
}

describe('llama-quantize, tensor by tensor', () => {
  for (const which of ['none', 'imatrix']) {
    for (const fileType of new Set(recorded.map(([type]) => type!))) {
      test(`${fileType}, ${which}`, async () => {
        const theirs = recorded.filter(([type, matrix]) => type === fileType && matrix === which);
        const used = which === 'imatrix' ? imatrix : undefined;
        const plan = planTypes(model, fileType, { imatrix: used });
        const output = join(folder, 'out.gguf');
        const write = () => writeModel(model, plan, output, { pool, imatrix: used, force: true });
        if (theirs[0]![2]!.startsWith('REFUSED')) {
          await expect(write()).rejects.toMatchObject({ code: 'refused-imatrix-needed' });
          return;
        }
        await write();

        const written = await openGgufModel(output);
        const ours: string[] = [];
        for (const tensor of written.tensors.values()) {
          ours.push([tensor.name, tensor.dtype.name, await sha256(tensor)].join('\t'));
        }
        await written.close();
        expect(theirs.length).toBe(38);
        expect(ours).toEqual(theirs.map((row) => row.slice(2).join('\t')));
      });
    }
  }
});
