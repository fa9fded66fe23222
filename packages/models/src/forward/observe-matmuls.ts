// From the tensors that a pass multiplies with to the names that an observer knows.
import type { Device } from '@quern/runtime';
import type { HeldWeights } from './held-weights.ts';
import type { MatmulObserver } from './model.ts';
import type { BatchPass } from './pass.ts';

export const observeMatmuls =
  (held: HeldWeights, device: Device, observer: MatmulObserver): NonNullable<BatchPass['observe']> =>
  (weight, input, ids) => {
    const name = held.names.get(weight)!;
    // A stack is [experts, rows, cols].
    if (ids) observer.onExpertInput(name, input, ids, weight.shape[0]!, device);
    else observer.onMatmulInput(name, input, device);
  };
