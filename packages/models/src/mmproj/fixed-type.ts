// Types that a rule fixes, whatever the type of the file is.
import { type DType, dtypeByName } from '@quern/blocks';
import type { TensorRule } from '../arch/tensor-rule.ts';
import type { PlainFileType } from '../lens/dtype-policy.ts';

/** Undefined where the rule leaves it to the file; vectors are F32 in every file. */
export function fixedType(
  type: TensorRule['type'],
  shape: readonly number[],
  fileType: PlainFileType,
): DType | undefined {
  if (type === undefined || shape.length <= 1) return undefined;
  return dtypeByName(type === 'F16 or F32' ? (fileType === 'F16' ? 'F16' : 'F32') : type);
}
