// Runs one block over all calibration sequences in full precision: its inputs are observed, what its sub-layers (attention
// and MLP, usually) add is kept, and the sum is what enters the next block.
import type { ModelView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { type SingleBlock, singleBlock } from '@quern/models';
import type { Device } from '@quern/runtime';
import { InputObserver, type Wanted } from './input-observer.ts';
import { floatsOf, LayerWeights, requireFinite } from './layer-weights.ts';

/** Rows gathered before a Gram matrix takes them: many experts have a buffer each. */
const bufferRows = { matrix: 2048, expert: 256 };

export interface ObserveOptions {
  /** Weights whose inputs are looked at, and what for. */
  readonly inputs: ReadonlyMap<string, { experts: number; width: number; gram: boolean; sample: boolean }>;
  /** Called after every sequence: the place for progress and an abort. */
  readonly onStep?: () => Promise<void>;
}

export interface ObservedLayer {
  readonly weights: LayerWeights;
  readonly block: SingleBlock;
  readonly observer: InputObserver;
  /** What each sub-layer adds to the residual stream, [tokens, width] per sequence. */
  readonly added: readonly Float32Array[][];
  dispose(): void;
}

/** @param states residual stream that enters the block, [tokens, width] per sequence; left as it is */
export async function observeLayer(
  view: ModelView,
  device: Device,
  index: number,
  states: readonly Float32Array[],
  { inputs, onStep }: ObserveOptions,
): Promise<ObservedLayer> {
  const width = view.tensors.get(`blk.${index}.attn_norm.weight`)!.cols;
  const tokens = states.reduce((sum, { length }) => sum + length / width, 0);
  const wanted = new Map(
    [...inputs].map(([name, options]): [string, Wanted] => [
      name,
      options.experts > 1
        ? { ...options, bufferRows: bufferRows.expert }
        : { ...options, bufferRows: bufferRows.matrix, expectedRows: tokens },
    ]),
  );
  const weights = await LayerWeights.load(view, index, device);
  let block: SingleBlock | undefined;
  try {
    const longest = Math.max(...states.map(({ length }) => length / width));
    block = await singleBlock(view, device, index, weights.onDevice, longest);
    const observer = new InputObserver(device, wanted);
    const added: Float32Array[][] = block.subLayers.map(() => []);
    for (const entering of states) {
      let stream = entering;
      for (const [i, { title, lastWeight }] of block.subLayers.entries()) {
        const addend = floatsOf(await device.read(block.run(i, stream, observer)));
        const what = `The ${title} of block ${index} gives NaN or infinity on the calibration text.`;
        requireFinite(addend, what, { tensor: lastWeight });
        stream = sumOf(stream, addend);
        added[i]!.push(addend);
      }
      await observer.settle();
      await onStep?.();
    }
    await observer.finish();
    for (const name of wanted.keys()) requireFiniteInput(observer, name);
    const running = block;
    const dispose = (): void => {
      running.dispose();
      weights.dispose();
    };
    return { weights, block, observer, added, dispose };
  } catch (error) {
    block?.dispose();
    weights.dispose();
    throw error;
  }
}

function requireFiniteInput(observer: InputObserver, name: string): void {
  for (const statistics of observer.of(name)) {
    if (statistics.rows === 0 || statistics.means().every(Number.isFinite)) continue;
    throw new QuernError('quantize-non-finite', 'The input of the layer is NaN or infinite on the calibration text.', {
      tensor: name,
      remedy: 'Use a checkpoint whose own forward pass gives numbers.',
    });
  }
}

/** a + b, rounded to f32. */
function sumOf(a: Float32Array, b: Float32Array): Float32Array {
  const sum = new Float32Array(a.length);
  for (let i = 0; i < sum.length; i++) sum[i] = a[i]! + b[i]!;
  return sum;
}

/** In place. */
export function addTo(states: readonly Float32Array[], addends: readonly Float32Array[]): void {
  for (const [s, sequence] of states.entries())
    for (let i = 0; i < sequence.length; i++) sequence[i]! += addends[s]![i]!;
}
