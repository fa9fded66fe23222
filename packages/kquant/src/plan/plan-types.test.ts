// llama.cpp's own choice of types for tiny-llama is recorded in expected/quantize.tsv.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openGguf } from '@quern/gguf';
import { describe, expect, test } from 'vitest';
import { fileTypes, type Plan, planTypes } from '../index.ts';

const expected = join(import.meta.dirname, '../../../../test/models/tiny-llama/expected');
const recorded = readFileSync(join(expected, 'quantize.tsv'), 'utf8')
  .split('\n')
  .map((line) => line.split('\t'))
  .filter(([, imatrix]) => imatrix === 'none');

async function planFor(fileType: string): Promise<Plan> {
  const gguf = await openGguf(join(expected, 'llama.cpp-bf16.gguf'));
  const tensors = [...gguf.tensors.values()].map((tensor): [string, never] => [
    tensor.name,
    { ...tensor, cols: tensor.shape.at(-1), rows: tensor.shape.slice(0, -1).reduce((a, b) => a * b, 1) } as never,
  ]);
  await gguf.close();
  return planTypes({ path: 'tiny-llama', metadata: gguf.metadata, tensors: new Map(tensors) }, fileType);
}

describe('types and order are those of llama-quantize', () => {
  for (const { name } of fileTypes.filter((row) => row.name !== 'F32')) {
    test(name, async () => {
      const wanted = recorded.filter(([type]) => type === name).map(([, , tensor, type]) => `${tensor} ${type}`);
      expect(wanted.length).toBe(38);
      const plan = await planFor(name);
      expect(plan.tensors.map((tensor) => `${tensor.name} ${tensor.to.name}`)).toEqual(wanted);
    });
  }
});

test('a name that is no file type is a usage error that lists the names', async () => {
  await expect(planFor('Q4_X')).rejects.toThrow(
    expect.objectContaining({ code: 'usage-unknown-type', remedy: expect.stringContaining('Q4_K_M') }),
  );
});
