// One block on the device, ready to run on weights that may be replaced while it is open.
import type { ModelView } from '@quern/checkpoint';
import { type MatmulObserver, type SingleBlock, singleBlock } from '@quern/models';
import type { Device } from '@quern/runtime';
import { floatsOf, LayerWeights, requireFinite } from './layer-weights.ts';

export interface OpenLayer {
  readonly index: number;
  readonly weights: LayerWeights;
  readonly block: SingleBlock;
  dispose(): void;
}

/** Width of the residual stream. */
const widthOf = (view: ModelView): number => view.tensors.get('token_embd.weight')!.cols;

export const tokensOf = (view: ModelView, states: readonly Float32Array[]): number =>
  states.reduce((sum, { length }) => sum + length / widthOf(view), 0);

/** @param states what it will run on: their longest sequence decides what is allocated */
export async function openLayer(
  view: ModelView,
  device: Device,
  index: number,
  states: readonly Float32Array[],
): Promise<OpenLayer> {
  const weights = await LayerWeights.load(view, index, device);
  try {
    const longest = Math.max(...states.map(({ length }) => length / widthOf(view)));
    const block = await singleBlock(view, device, index, weights.onDevice, longest);
    const dispose = (): void => {
      block.dispose();
      weights.dispose();
    };
    return { index, weights, block, dispose };
  } catch (error) {
    weights.dispose();
    throw error;
  }
}

/**
 * What a sub-layer adds to the residual stream that enters it.
 * @throws QuernError `quantize-non-finite` naming the sub-layer's last matrix
 */
export async function addendOf(
  { index, weights, block }: OpenLayer,
  subLayer: number,
  entering: Float32Array,
  observer?: MatmulObserver,
): Promise<Float32Array> {
  const addend = floatsOf(await weights.device.read(block.run(subLayer, entering, observer)));
  const { title, lastWeight } = block.subLayers[subLayer]!;
  const what = `The ${title} of block ${index} gives NaN or infinity on the calibration text.`;
  requireFinite(addend, what, { tensor: lastWeight });
  return addend;
}

/** a += b in place, rounded to f32. */
export function addInto(a: Float32Array, b: Float32Array): void {
  for (let i = 0; i < a.length; i++) a[i]! += b[i]!;
}
