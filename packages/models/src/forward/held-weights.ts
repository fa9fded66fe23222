// The weights that a device holds, by name. Any of them may be replaced for a while by another tensor of the same shape,
// so that what one weight does to the whole network can be measured without loading the network again.
import { QuernError } from '@quern/errors';
import type { Tensor } from '@quern/runtime';
import { arrangeWeights, type Weights } from './weights.ts';

type Part = Parameters<typeof arrangeWeights>[1];

export class HeldWeights {
  readonly #loaded: ReadonlyMap<string, Tensor>;
  readonly #current: Map<string, Tensor>;
  readonly #part: Part;
  weights: Weights;
  /** GGUF names, for observers. */
  names: ReadonlyMap<Tensor, string>;

  constructor(loaded: ReadonlyMap<string, Tensor>, part: Part) {
    this.#loaded = loaded;
    this.#current = new Map(loaded);
    this.#part = part;
    this.weights = arrangeWeights(loaded, part);
    this.names = new Map([...loaded].map(([name, tensor]) => [tensor, name]));
  }

  /**
   * @param tensor undefined: the one that was loaded
   * @returns whether the device holds a weight of that name
   * @throws QuernError `weight-wrong-shape`
   */
  replace(name: string, tensor?: Tensor): boolean {
    const own = this.#loaded.get(name);
    if (!own) return false;
    if (tensor && tensor.shape.join() !== own.shape.join())
      throw new QuernError(
        'weight-wrong-shape',
        `A weight of [${tensor.shape}] cannot stand for one of [${own.shape}].`,
        {
          tensor: name,
        },
      );
    this.#current.set(name, tensor ?? own);
    this.weights = arrangeWeights(this.#current, this.#part);
    this.names = new Map([...this.#current].map(([key, value]) => [value, key]));
    return true;
  }
}
