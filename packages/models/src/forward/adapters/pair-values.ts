// The numbers of a pair on their way to a device: F32, B with the pair's factor in it, all of them finite.
import type { TensorView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { placeOf } from '../../adapter/check-pair.ts';
import type { LoraPair } from '../../adapter/lora.ts';
import { mappedValues } from '../../change/mapped-values.ts';

/** Reading throws `adapter-not-finite`. */
export const pairValues = ({ a, b, factor }: LoraPair): { a: TensorView; b: TensorView } => ({
  a: mappedValues(a, finite(a)),
  b: mappedValues(b, (value) => finite(b)(value * factor)),
});

const finite =
  (tensor: TensorView) =>
  (value: number): number => {
    if (Number.isFinite(Math.fround(value))) return value;
    throw new QuernError('adapter-not-finite', `The tensor has a value that is no finite number (${value}).`, {
      ...placeOf(tensor),
      remedy: 'The adapter is damaged, or its training diverged.',
    });
  };
