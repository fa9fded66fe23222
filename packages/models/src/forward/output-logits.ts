// From the residual stream to the logits of the wanted rows:  cap(scale · (norm(x) · output matrix + bias))
import type { Tensor } from '@quern/runtime';
import type { AdapterPass } from './adapters/adapter-pass.ts';
import { shapeFor } from './buffers.ts';
import { runNorm } from './norm.ts';
import type { BatchPass } from './pass.ts';
import { bytesOf, type Rank } from './rank.ts';
import type { Inspect } from './stage.ts';

export interface LogitsOptions {
  /** The rows have been normed. */
  readonly normed?: boolean;
  /** In place of the network's, which may have a bias. */
  readonly matrix?: Tensor;
  readonly observe?: BatchPass['observe'];
  readonly inspect?: Inspect;
  /** What they add to the network's matrix. */
  readonly adapters?: AdapterPass;
}

/** @param rank the one with the output; `states` [T, C] are on its device */
export async function outputLogits(
  rank: Rank,
  states: Tensor,
  outputRows: Int32Array,
  { normed = false, matrix: other, observe, inspect, adapters }: LogitsOptions,
): Promise<Tensor> {
  const { device, network, held } = rank;
  const { norm, scale, softCap: cap, tied } = network.output;
  const own = held.weights.output!;
  const matrix = other ?? own.matrix!;
  const bias = other ? undefined : own.bias;
  const view = (name: string): Tensor =>
    device.view(rank.buffers.get(name)!, shapeFor(rank.bufferShapes.get(name)!, outputRows.length));
  const [rows, wanted, logits] = [view('outputRows'), view('outputNormed'), view('logits')];
  device.write(rows, bytesOf(outputRows));
  device.run('gatherRows', [states, rows], wanted, {});
  if (norm && !normed) runNorm(device, norm, own.norm!, wanted, wanted);
  await inspect?.('output_norm', device, wanted);
  observe?.(matrix, wanted);
  device.run('matmul', bias ? [wanted, matrix, bias] : [wanted, matrix], logits, {});
  // The embedding that stands for it is changed where it is looked up, and there alone.
  if (!tied) adapters?.addTo(logits, held.names.get(matrix)!, wanted);
  if (scale !== undefined) device.run('scale', [logits], logits, { factor: scale });
  if (cap !== undefined) device.run('softCap', [logits], logits, { cap });
  await inspect?.('the output matrix', device, logits);
  return logits;
}
