// Runs one block over all calibration sequences in full precision: its inputs are observed, and what its sub-layers
// (attention and MLP, usually) add is kept. The sum is what enters the next block.
import type { ModelView } from '@quern/checkpoint';
import type { Device } from '@quern/runtime';
import { type InputObserver, observerOf, type WantedInputs } from './input-observer.ts';
import { addendOf, addInto, type OpenLayer, openLayer, tokensOf } from './open-layer.ts';

export interface ObserveOptions {
  /** Weights whose inputs are looked at, and what for. */
  readonly inputs: WantedInputs;
  /** Called after every sequence: the place for progress and an abort. */
  readonly onStep?: () => Promise<void>;
}

export interface ObservedLayer extends OpenLayer {
  readonly observer: InputObserver;
  /** What each sub-layer adds to the residual stream, [tokens, width] per sequence. */
  readonly added: readonly Float32Array[][];
}

/** @param states residual stream that enters the block, [tokens, width] per sequence; left as it is */
export async function observeLayer(
  view: ModelView,
  device: Device,
  index: number,
  states: readonly Float32Array[],
  { inputs, onStep }: ObserveOptions,
): Promise<ObservedLayer> {
  const layer = await openLayer(view, device, index, states);
  try {
    const observer = observerOf(device, inputs, tokensOf(view, states));
    const added: Float32Array[][] = layer.block.subLayers.map(() => []);
    for (const entering of states) {
      const stream = entering.slice();
      for (const [i, addends] of added.entries()) {
        const addend = await addendOf(layer, i, stream, observer);
        addInto(stream, addend);
        addends.push(addend);
      }
      await observer.settle();
      await onStep?.();
    }
    await observer.finish();
    return { ...layer, observer, added };
  } catch (error) {
    layer.dispose();
    throw error;
  }
}

/** In place. */
export function addTo(states: readonly Float32Array[], addends: readonly Float32Array[]): void {
  for (const [s, sequence] of states.entries()) addInto(sequence, addends[s]!);
}
