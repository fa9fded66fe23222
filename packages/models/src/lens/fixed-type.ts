// Types that a rule fixes, whatever the type of the file is.
import { type DType, dtypeByName } from '@quern/blocks';
import type { TensorView } from '@quern/checkpoint';
import type { TensorRule } from '../arch/tensor-rule.ts';
import type { PlainFileType } from './dtype-policy.ts';

/** Undefined where the rule leaves it to the file; vectors of numbers are F32 in every file. */
export function fixedType(
  type: TensorRule['type'],
  tensor: Pick<TensorView, 'shape' | 'cols' | 'dtype' | 'packed'>,
  fileType: PlainFileType,
): DType | undefined {
  if (type === undefined || tensor.shape.length <= 1) return undefined;
  if (type === 'stored') return storedType(tensor);
  return dtypeByName(type === 'F16 or F32' ? (fileType === 'F16' ? 'F16' : 'F32') : type);
}

/** What holds every number of it: the codes it is packed in, F32 or BF16. FP8, whose scales no block has, becomes Q8_0. */
function storedType({ dtype, cols, packed }: Parameters<typeof fixedType>[1]): DType | undefined {
  const codes = packed?.exact.find(({ values }) => values === 'same')?.dtype;
  if (codes) return codes;
  if (packed) return cols % 32 === 0 ? dtypeByName('Q8_0') : undefined;
  return dtype.name === 'F32' || dtype.name === 'BF16' ? dtype : undefined;
}
