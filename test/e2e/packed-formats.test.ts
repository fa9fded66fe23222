// Packed folders of every kind of code, from folder to perplexity and to a GGUF file: the folder computes what a folder of
// its values computes, and the file computes what the folder does.
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModelView } from '@quern/checkpoint';
import { loadModel, openModel, sequenceLogits } from '@quern/models';
import { referenceDevice } from '@quern/runtime';
import { loadServedModel } from '@quern/serve-command/server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { awqFolder } from '../packed-folder.ts';
import { repackedFolder, repackings } from '../repacked-folder.ts';
import { root, runCommand } from './cli-fixture.ts';
import { startTestServer, tinyLlama } from './serve-fixture.ts';

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'quern-packed-formats-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const run = async (...args: string[]) => {
  const result = await runCommand(...args);
  expect(result, result.stderr + result.stdout).toMatchObject({ code: 0 });
  return JSON.parse(result.stdout);
};

async function logitsOf(path: string): Promise<Float32Array[]> {
  const view: ModelView = await openModel(path);
  const ids = Int32Array.of(0, 17, 300, 5, 44);
  const model = await loadModel(view, referenceDevice(), { batchTokens: 16, cells: ids.length });
  const all: Float32Array[] = [];
  for await (const { logits } of sequenceLogits(model, ids)) all.push(logits.slice());
  model.dispose();
  await view.close();
  return all;
}

const expected: Record<string, { fileType: string; fidelity: Record<string, number> }> = {
  'GPTQ, asymmetric': { fileType: 'Q5_0', fidelity: { 'same-codes': 28 } },
  'ModelOpt INT4': { fileType: 'Q4_0', fidelity: { 'same-codes': 28 } },
  // Scales of 8 bits that F16 holds, which only reading them tells; those of 24 bits it does not.
  'compressed-tensors, BF16 scales': { fileType: 'Q4_0', fidelity: { 'same-codes': 28 } },
  'compressed-tensors, F32 scales': { fileType: 'Q4_0', fidelity: { 'scales-rounded': 28 } },
  'MLX, BF16 scales': { fileType: 'Q4_1', fidelity: { 'same-codes': 28 } },
  'ModelOpt NVFP4': { fileType: 'BF16', fidelity: { rounded: 28 } },
  'MXFP4 experts': { fileType: 'MXFP4_MOE', fidelity: { 'same-codes': 12 } },
};

describe.each(Object.keys(repackings))('%s', (format) => {
  const exact = 'same-codes' in expected[format]!.fidelity;
  let folder: string;
  let plain: string;
  let auto: string;
  beforeAll(async () => {
    folder = await repackedFolder(format, mkdtempSync(join(scratch, 'packed-')));
    [plain, auto] = [`${folder}-plain`, `${folder}.gguf`];
    await run('convert', folder, '--to', 'hf', '--type', 'f32', '--json', '-o', plain);
    expect(await run('convert', folder, '--json', '-o', auto)).toMatchObject(expected[format]!);
  });

  test('has the perplexity of its values', async () => {
    const text = join(root, 'test/models/text/prose-test.txt');
    const flags = ['--text', text, '-c', '128', '--chunks', '2', '--threads', '1', '--json', '-q'];
    const { models } = await run('eval', folder, plain, auto, ...flags);
    const [packed, values, file] = models.map(({ ppl }: { ppl: number }) => ppl);
    expect(packed).toBeGreaterThan(1);
    expect(packed / values).toBeCloseTo(1, 6);
    expect(file / packed).toBeCloseTo(1, exact ? 6 : 2);
  });

  test('has the logits of its values, and of its file', async () => {
    const [packed, values, file] = await Promise.all([folder, plain, auto].map(logitsOf));
    expect(packed).toEqual(values);
    if (exact) expect(file).toEqual(packed);
    else {
      await run('convert', folder, '--type', 'f32', '--json', '-o', `${folder}-f32.gguf`);
      expect(await logitsOf(`${folder}-f32.gguf`)).toEqual(packed);
    }
  });
});

test('a packed folder answers a chat as the file of its codes does', async () => {
  const folder = mkdtempSync(join(scratch, 'served-'));
  awqFolder(folder);
  copyFileSync(join(tinyLlama, 'chat_template.jinja'), join(folder, 'chat_template.jinja'));
  const file = `${folder}.gguf`;
  await run('convert', folder, '--json', '-o', file);
  const answers: string[] = [];
  for (const path of [folder, file]) {
    const server = await startTestServer({ load: () => loadServedModel(path, { threads: 1 }) });
    try {
      await server.ready;
      const messages = [{ role: 'user', content: 'Tell me a story.' }];
      const response = await server.post('/v1/chat/completions', { messages, temperature: 0, max_tokens: 16 });
      expect(response.status).toBe(200);
      const { choices, usage } = await response.json();
      expect(usage.completion_tokens).toBeGreaterThan(0);
      answers.push(choices[0].message.content);
    } finally {
      await server.close();
    }
  }
  expect(answers[0]!.length).toBeGreaterThan(0);
  expect(answers[1]).toBe(answers[0]);
});
