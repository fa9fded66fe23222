// The weights that a device holds, by name. The bytes of any may be replaced, also by those of another stored type, so that
// what one weight does to the whole network can be measured without loading the network again.
import { QuernError } from '@quern/errors';
import type { Tensor } from '@quern/runtime';
import type { Holding } from './holding.ts';
import type { Network } from './network.ts';
import { arrangeWeights, type Weights } from './weights.ts';

/** Stored bytes of a whole weight. */
export interface StoredWeight {
  /** Name of a stored type. */
  readonly dtype: string;
  readonly bytes: Uint8Array;
}

/** Gives the memory of `before` back, then takes some for a tensor of the same shape and another type. */
export type Exchange = (before: Tensor, dtype: string, name: string) => Tensor;

export class HeldWeights {
  readonly #network: Network;
  readonly #tensors: Map<string, Tensor>;
  readonly #holding: Holding;
  readonly #exchange?: Exchange;
  weights: Weights;
  /** GGUF names, for observers. */
  names: ReadonlyMap<Tensor, string>;

  /** @param exchange none: weights keep their types */
  constructor(network: Network, tensors: ReadonlyMap<string, Tensor>, holding: Holding, exchange?: Exchange) {
    this.#network = network;
    this.#tensors = new Map(tensors);
    this.#holding = holding;
    this.#exchange = exchange;
    this.weights = arrangeWeights(network, tensors, holding);
    this.names = namesOf(tensors);
  }

  /** The weight of that GGUF name, if the device holds it. */
  readonly named = (name: string): Tensor | undefined => this.#tensors.get(name);

  /**
   * @returns the tensor to write the bytes to, or undefined when the device holds no weight of that name
   * @throws QuernError `weight-wrong-shape` for a vector, which devices take as F32 alone; `replacement-unsupported`
   */
  replace(name: string, dtype: string): Tensor | undefined {
    const before = this.#tensors.get(name);
    if (!before) return undefined;
    if (before.shape.length < 2)
      throw new QuernError('weight-wrong-shape', 'Only matrices can be replaced.', { tensor: name });
    const tensor = before.dtype === dtype ? before : this.#exchange?.(before, dtype, name);
    if (!tensor) throw new QuernError('replacement-unsupported', `Here it stays ${before.dtype}.`, { tensor: name });
    this.#tensors.set(name, tensor);
    this.weights = arrangeWeights(this.#network, this.#tensors, this.#holding);
    this.names = namesOf(this.#tensors);
    return tensor;
  }
}

const namesOf = (tensors: ReadonlyMap<string, Tensor>): ReadonlyMap<Tensor, string> =>
  new Map([...tensors].map(([name, tensor]) => [tensor, name]));
