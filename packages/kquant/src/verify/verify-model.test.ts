// What --verify finds when a file is not what it should be.
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TranscodePool } from '@quern/blocks';
import { type ModelView, openGgufModel } from '@quern/checkpoint';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Plan, planTypes, refuseErrors, verifyModel, writeModel } from '../index.ts';

const input = join(import.meta.dirname, '../../../../test/models/tiny-llama/expected/llama.cpp-bf16.gguf');
let folder: string;
let pool: TranscodePool;
let model: ModelView;
let plan: Plan;
let clean: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'quern-verify-'));
  pool = await TranscodePool.create({ threads: 2 });
  model = await openGgufModel(input);
  plan = planTypes(model, 'Q8_0');
  clean = join(folder, 'clean.gguf');
  await writeModel(model, plan, clean, { pool });
});
afterAll(async () => {
  await Promise.all([pool.close(), model.close()]);
  rmSync(folder, { recursive: true, force: true });
});

/** A copy with `bytes` written over the first ones of a tensor. */
async function damaged(tensor: string, bytes: number[]): Promise<string> {
  const path = join(folder, 'damaged.gguf');
  copyFileSync(clean, path);
  const view = await openGgufModel(path);
  const file = await open(path, 'r+');
  await file.write(Uint8Array.from(bytes), 0, bytes.length, view.tensors.get(tensor)!.offset);
  await Promise.all([file.close(), view.close()]);
  return path;
}

test('a clean file passes, with figures that do not depend on threads', async () => {
  const verdicts = await verifyModel(model, plan, clean, { pool });
  expect(verdicts.map(({ tensor }) => tensor)).toEqual(plan.tensors.map(({ name }) => name));
  const one = await verifyModel(model, plan, clean, { threads: 1 });
  expect(one).toEqual(verdicts);
  expect(() => refuseErrors(verdicts, 0.01, clean)).not.toThrow();
  const q8 = verdicts.filter(({ to }) => to === 'Q8_0');
  // Rounding to 1/254 of a block's largest weight: between a thousandth and a hundredth of the weights' size.
  for (const { relativeRmse } of q8) expect(relativeRmse).toBeGreaterThan(0.001);
});

test('one infinite scale is found and named', async () => {
  const path = await damaged('blk.2.attn_q.weight', [0x00, 0x7c]);
  const verdicts = await verifyModel(model, plan, path, { pool });
  const bad = verdicts.filter(({ nonFinite }) => nonFinite > 0);
  expect(bad.map(({ tensor }) => tensor)).toEqual(['blk.2.attn_q.weight']);
  expect(() => refuseErrors(verdicts, 1, path)).toThrow(
    expect.objectContaining({ code: 'refused-verify', tensor: 'blk.2.attn_q.weight' }),
  );
});

test('one changed byte of a copy is found and named', async () => {
  const path = await damaged('blk.1.ffn_norm.weight', [1, 2, 3]);
  await expect(verifyModel(model, plan, path, { pool })).rejects.toMatchObject({
    code: 'verify-copy-differs',
    tensor: 'blk.1.ffn_norm.weight',
  });
});

test('a file of another plan is refused', async () => {
  await expect(verifyModel(model, planTypes(model, 'Q4_0'), clean, { pool })).rejects.toMatchObject({
    code: 'verify-other-file',
  });
});
