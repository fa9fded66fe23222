// Steps of a run: sequences that a block computes, candidates that a search tries, weights that are quantized. They are
// what progress counts, and where a run can be stopped: the device computes on this thread, so signals and timers of
// the process get their turn between two steps.
import type { ModelView } from '@quern/checkpoint';
import { networkOf } from '@quern/models';
import { layerPairs, quantizedWeights } from '../layer/layer-pairs.ts';
import { measurements } from '../search/best-ratio.ts';
import { sequenceParts } from '../search/sequence-parts.ts';
import type { Method } from './layer-task.ts';

export interface Progress {
  /** Layers, with the part of the one that is worked on: of its steps, experts that no token reaches have none. */
  readonly done: number;
  readonly total: number;
  readonly label: string;
}

export interface StepHooks {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

export class Steps {
  readonly #hooks: StepHooks;
  /** Steps before each block, and before the end. */
  readonly #before: number[] = [0];
  #block = 0;
  #done = 0;

  /** @param isFinished blocks that are only passed through */
  constructor(
    view: ModelView,
    blocks: readonly number[],
    work: { method: Method; sequences: readonly Int32Array[]; isFinished: (block: number) => boolean },
    hooks: StepHooks,
  ) {
    this.#hooks = hooks;
    for (const block of blocks) {
      const count = work.isFinished(block) ? work.sequences.length : stepsOf(view, block, work.method, work.sequences);
      this.#before.push(this.#before.at(-1)! + count);
    }
  }

  /** Begins a block; after the last one, with their number, ends. */
  begin(block: number): void {
    this.#block = block;
    this.#done = this.#before[block]!;
    this.#tell();
  }

  /** @throws the reason of the signal */
  readonly step = async (): Promise<void> => {
    this.#done = Math.min(this.#done + 1, this.#before[this.#block + 1]!);
    this.#tell();
    await new Promise((resolve) => setImmediate(resolve));
    this.#hooks.signal?.throwIfAborted();
  };

  #tell(): void {
    const [first, layers] = [this.#before[this.#block]!, this.#before.length - 1];
    const isEnd = this.#block === layers;
    const part = isEnd ? 0 : (this.#done - first) / Math.max(1, this.#before[this.#block + 1]! - first);
    const label = isEnd ? 'done' : `layer ${this.#block + 1}`;
    this.#hooks.onProgress?.({ done: this.#block + part, total: layers, label });
  }
}

function stepsOf(view: ModelView, block: number, { name: method }: Method, sequences: readonly Int32Array[]): number {
  const weights = quantizedWeights(view, block);
  if (method === 'rtn') return weights.length;
  const quantized = method === 'scales' ? 0 : weights.length;
  if (method === 'gptq') {
    const passes = layerPairs(view, block).length + networkOf(view).blocks[block]!.subLayers.length;
    return passes * sequences.length + quantized;
  }
  const { length: parts } = sequenceParts(sequences.map(({ length }) => length));
  const searches = layerPairs(view, block)
    .filter(({ scaled }) => scaled)
    .map(({ inspect, layers }) => {
      const experts = weights.find(({ name }) => name === layers[0])!.experts;
      return inspect === 'layer' ? experts * measurements(1) : measurements(parts);
    });
  return sequences.length + quantized + searches.reduce((sum, count) => sum + count, 0);
}
