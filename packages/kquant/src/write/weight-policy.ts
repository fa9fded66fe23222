// What happens to weights that cannot be stored as planned. NaN and infinities spread through a model and mean that the
// checkpoint is broken; numbers beyond the range of F16 become infinite without a word in other converters.
import type { TranscodeReport } from '@quern/blocks';
import { QuernError } from '@quern/errors';
import type { TensorPlan } from '../plan/plan.ts';

export interface WeightPolicy {
  /** Write NaN and infinities as they come. */
  allowNonFinite?: boolean;
  /** `inf`: numbers beyond F16 become infinite, as in llama.cpp's converter. Default `refuse`. */
  onOverflow?: 'refuse' | 'inf';
}

/** @throws QuernError `refused-non-finite`, `refused-f16-overflow`, naming the tensor and how many */
export function applyPolicy(tensor: TensorPlan, report: TranscodeReport, file: string, policy: WeightPolicy): void {
  const { nonFinite, firstNonFinite, f16Overflows } = report;
  if (nonFinite > 0 && !policy.allowNonFinite) {
    const where = firstNonFinite ? `, the first in row ${firstNonFinite.row}, column ${firstNonFinite.col}` : '';
    throw new QuernError('refused-non-finite', `${nonFinite} weights are NaN or infinite${where}.`, {
      file,
      tensor: tensor.name,
      remedy: 'The checkpoint is damaged. To write it all the same, add --allow-non-finite.',
    });
  }
  if (f16Overflows > 0 && policy.onOverflow !== 'inf') {
    const target = tensor.via ? `${tensor.via.name} on the way to ${tensor.to.name}` : tensor.to.name;
    throw new QuernError('refused-f16-overflow', `${f16Overflows} weights are too large for ${target}.`, {
      file,
      tensor: tensor.name,
      remedy: 'Use --type bf16 or f32; or write infinities, as llama.cpp does, with --on-overflow inf.',
    });
  }
}
