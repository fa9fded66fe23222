// Test support: the recorded results of test/models and test/golden, and the models they belong to.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ModelView } from '@quern/checkpoint';
import type { GgufValue } from '@quern/gguf';
import { loadModel, type Model, openModel, sequenceLogits } from '@quern/models';
import type { Device } from '@quern/runtime';

/** An absolute path stays what it is. */
export const testPath = (path: string): string => resolve(fileURLToPath(new URL('../..', import.meta.url)), path);

/** A tensor of a safetensors file of test/ that our tests trust (the reader proper lives in @quern/safetensors). */
export function recordedTensor(path: string, name: string): { shape: number[]; bytes: ArrayBuffer } {
  const file = readFileSync(testPath(path));
  const headerBytes = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, 8 + headerBytes));
  const { shape, data_offsets: offsets } = header[name];
  const start = file.byteOffset + 8 + headerBytes;
  return { shape, bytes: file.buffer.slice(start + offsets[0], start + offsets[1]) as ArrayBuffer };
}

export const recordedFloats = (path: string, name: string) => new Float32Array(recordedTensor(path, name).bytes);
export const recordedInts = (path: string, name: string) => new Int32Array(recordedTensor(path, name).bytes);

/** A model with some metadata changed. */
export async function openWith(path: string, changes: Record<string, GgufValue> = {}): Promise<ModelView> {
  const view = await openModel(testPath(path));
  return {
    path: view.path,
    tensors: view.tensors,
    metadata: new Map([...view.metadata, ...Object.entries(changes)]),
    close: () => view.close(),
  };
}

/** Loads with room for `cells` tokens, runs, frees. */
export async function withModel<Result>(
  view: ModelView,
  devices: Device | readonly Device[],
  options: Partial<Parameters<typeof loadModel>[2]>,
  use: (model: Model) => Promise<Result>,
): Promise<Result> {
  const model = await loadModel(view, devices, { batchTokens: 64, ...options });
  try {
    return await use(model);
  } finally {
    model.dispose();
    await view.close();
  }
}

/** [ids.length, vocab] */
export async function allLogits(model: Model, ids: Int32Array): Promise<Float32Array> {
  const { vocabSize } = model.hyperparameters;
  const all = new Float32Array(ids.length * vocabSize);
  for await (const { first, logits } of sequenceLogits(model, ids)) all.set(logits, first * vocabSize);
  return all;
}

export function maxDifference(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  for (let i = 0; i < a.length; i++) worst = Math.max(worst, Math.abs(a[i] - b[i]));
  return worst;
}
