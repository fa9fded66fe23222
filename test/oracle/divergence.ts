// How far our logits are from llama.cpp's for the same tokens.
import type { ModelView } from '@quern/checkpoint';
import { type CacheTypes, loadModel, sequenceLogits } from '@quern/models';
import type { Device } from '@quern/runtime';

/** Mean over positions of KL(native ‖ ours), in nats. */
export function meanDivergence(native: Float32Array, ours: Float32Array, vocab: number): number {
  let sum = 0;
  for (let row = 0; row < native.length; row += vocab) {
    const p = logSoftmax(native.subarray(row, row + vocab));
    const q = logSoftmax(ours.subarray(row, row + vocab));
    for (let i = 0; i < vocab; i++) sum += Math.exp(p[i]!) * (p[i]! - q[i]!);
  }
  return sum / (native.length / vocab);
}

function logSoftmax(logits: Float32Array): Float64Array {
  const max = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  let sum = 0;
  for (const value of logits) sum += Math.exp(value - max);
  return Float64Array.from(logits, (value) => value - max - Math.log(sum));
}

/** llama.cpp makes room for no fewer tokens, which decides what LongRoPE takes for a long text. */
const leastContext = 256;

/** Of every position. */
export async function ourLogits(
  view: ModelView,
  ids: Int32Array,
  device: Device,
  type: CacheTypes['k'] = 'F32',
): Promise<{ logits: Float32Array; vocab: number }> {
  const cells = Math.max(ids.length, leastContext);
  const model = await loadModel(view, device, { batchTokens: 64, cells, cacheTypes: { k: type, v: type } });
  const vocab = model.hyperparameters.vocabSize;
  const all = new Float32Array(ids.length * vocab);
  for await (const { first, logits } of sequenceLogits(model, ids)) all.set(logits, first * vocab);
  model.dispose();
  return { logits: all, vocab };
}
