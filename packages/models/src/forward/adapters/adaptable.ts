// Which weights a pair of matrices can be added to: those that the forward pass multiplies with (pass.ts), the output matrix,
// and the rows of the embedding.
import { QuernError } from '@quern/errors';
import { placeOf } from '../../adapter/check-pair.ts';
import { embeddingName, type LoraAdapter } from '../../adapter/lora.ts';
import { type Network, partsOf } from '../network.ts';
import { networkTensors } from '../network-tensors.ts';

export interface AdaptableWeight {
  /** Of the stack, how many a token is multiplied with; 1 for a matrix of its own. */
  readonly used: number;
}

export function adaptableWeights(network: Network): Map<string, AdaptableWeight> {
  const weights = new Map<string, AdaptableWeight>();
  for (const { name, shape, of, part } of networkTensors(network)) {
    const plain = part?.wanted.plain || !name.endsWith('.weight');
    const room = part && typeof of === 'number' ? partsOf(network.blocks[of] ?? noBlock)[part.index]?.room : undefined;
    if (name === embeddingName || name === 'output.weight') weights.set(name, { used: 1 });
    else if (!room || plain) continue;
    else if (shape.length === 2) weights.set(name, { used: 1 });
    else if (shape.length === 3 && room.kind === 'experts') weights.set(name, { used: room.used });
  }
  return weights;
}

/** Draft blocks only guess. */
const noBlock = { subLayers: [] };

/** @throws QuernError `adapter-unsupported` naming the first tensor that would not be applied */
export function requireAdaptable(network: Network, { pairs }: LoraAdapter): void {
  const adaptable = adaptableWeights(network);
  for (const { weight, a } of pairs.values())
    if (!adaptable.has(weight))
      throw new QuernError(
        'adapter-unsupported',
        `${weight} is not multiplied with as a matrix: a pair for it cannot be added.`,
        {
          ...placeOf(a),
          remedy: 'Merge the adapter into the model: quern convert --lora, or PEFT.',
        },
      );
}
