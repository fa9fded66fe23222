// llama.cpp's own choice of types for tiny-llama is recorded in expected/quantize.tsv, with and without importance
// matrix, or that it refused.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readImatrix } from '@quern/calibration';
import type { QuernError } from '@quern/errors';
import { openGguf } from '@quern/gguf';
import { describe, expect, test } from 'vitest';
import { fileTypes, type Plan, planTypes, refuseUnwritable } from '../index.ts';
import type { PlannedImatrix } from './importance.ts';

const expected = join(import.meta.dirname, '../../../../test/models/tiny-llama/expected');
const recorded = readFileSync(join(expected, 'quantize.tsv'), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => line.split('\t'));
const imatrix = { path: 'imatrix.gguf', ...(await readImatrix(join(expected, 'imatrix.gguf'))) };

async function planFor(fileType: string, given?: PlannedImatrix): Promise<Plan> {
  const gguf = await openGguf(join(expected, 'llama.cpp-bf16.gguf'));
  const tensors = [...gguf.tensors.values()].map((tensor): [string, never] => [
    tensor.name,
    { ...tensor, cols: tensor.shape.at(-1), rows: tensor.shape.slice(0, -1).reduce((a, b) => a * b, 1) } as never,
  ]);
  await gguf.close();
  const input = { path: 'tiny-llama', metadata: gguf.metadata, tensors: new Map(tensors) };
  return planTypes(input, fileType, { imatrix: given });
}

describe('types and order are those of llama-quantize', () => {
  for (const which of ['none', 'imatrix']) {
    for (const name of new Set(recorded.map(([type]) => type!))) {
      test(`${name}, ${which}`, async () => {
        const rows = recorded.filter(([type, matrix]) => type === name && matrix === which);
        const plan = await planFor(name, which === 'imatrix' ? imatrix : undefined);
        if (rows[0]![2]!.startsWith('REFUSED')) {
          expect(rows[0]![2]).toMatch(/requires an importance matrix/);
          const refusal = expect.objectContaining({ code: 'refused-imatrix-needed', tensor: expect.any(String) });
          expect(() => refuseUnwritable(plan, 'x.gguf')).toThrow(refusal);
          return;
        }
        expect(rows.length).toBe(38);
        const ours = plan.tensors.map((tensor) => `${tensor.name} ${tensor.to.name}`);
        expect(ours).toEqual(rows.map(([, , tensor, type]) => `${tensor} ${type}`));
        expect(plan.totals.importance.needed).toBe(0);
      });
    }
  }
  test('every file type is recorded, but those that llama-quantize had no encoder for, and copies', () => {
    const names = new Set(recorded.map(([type]) => type));
    const missing = fileTypes.map(({ name }) => name).filter((name) => !names.has(name));
    expect(missing).toEqual(['F32', 'Q1_0', 'Q2_0', 'COPY']);
  });
});

test('aliases', async () => {
  for (const [alias, name] of [
    ['q3_k', 'Q3_K_M'],
    ['Q4_K', 'Q4_K_M'],
    ['Q5_K', 'Q5_K_M'],
  ] as const)
    expect((await planFor(alias)).fileType).toBe(name);
});

test('a name that is no file type is a usage error that lists the names', async () => {
  await expect(planFor('Q4_X')).rejects.toThrow(
    expect.objectContaining({ code: 'usage-unknown-type', remedy: expect.stringContaining('Q4_K_M') }),
  );
});

// llama-quantize: "Missing importance matrix for tensor blk.0.ffn_up.weight in a very low-bit quantization".
test('a matrix that lacks a tensor is named, with the tensor: nobody is asked to give one', async () => {
  const entries = new Map([...imatrix.entries].filter(([name]) => name !== 'blk.0.ffn_up.weight'));
  const plan = await planFor('IQ2_XS', { ...imatrix, path: 'given.gguf', entries });
  const error = (() => {
    try {
      refuseUnwritable(plan, 'x.gguf');
    } catch (thrown) {
      return thrown as QuernError;
    }
    return undefined;
  })();
  expect(error).toMatchObject({ code: 'refused-imatrix-lacks', tensor: 'blk.0.ffn_up.weight' });
  expect(error?.message).toMatch(/given\.gguf has nothing about blk\.0\.ffn_up\.weight; IQ2_XS/);
  expect(error?.remedy).toMatch(/more text.*--tensor-type blk\.0\.ffn_up\.weight=/);
});
