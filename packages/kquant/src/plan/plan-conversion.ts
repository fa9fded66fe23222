// Which type every tensor of a converted checkpoint gets, before any quantizing: what convert_hf_to_gguf.py would write.

import { dtypeByName } from '@quern/blocks';
import type { ModelView } from '@quern/checkpoint';
import type { GgufMetadata } from '@quern/gguf';
import { convertedDtype, type PlainFileType, plainFileTypes } from '@quern/models';
import { fallbackFrom } from './fallback.ts';
import { completePlan, type Plan } from './plan.ts';

export type ConversionType = PlainFileType | 'auto';

/** `f16`, `AUTO`, … as a conversion type, or undefined: then it is a file type that wants a mixture. */
export function conversionType(name: string): ConversionType | undefined {
  const upper = name.toUpperCase();
  if (upper === 'AUTO') return 'auto';
  return upper in plainFileTypes ? (upper as PlainFileType) : undefined;
}

/**
 * @param view a Hugging Face checkpoint seen through its lens (`openModel`), tensors in the converter's order.
 * @param type `auto`: what the lens took from the checkpoint, BF16 or F16.
 */
export function planConversion(view: Pick<ModelView, 'metadata' | 'tensors'>, type: ConversionType): Plan {
  const fileType = type === 'auto' ? lensFileType(view.metadata) : type;
  const tensors = [...view.tensors.values()].map(({ name, shape, rows, cols, dtype: from }) => {
    const to = convertedDtype(name, shape, fileType);
    const fallback = fileType === 'Q8_0' && to.name === 'F16' ? fallbackFrom(dtypeByName(fileType), cols) : undefined;
    const rule = to.name === 'F32' && fileType !== 'F32' ? 'kept: vector or small' : fileType;
    return { name, shape, rows, cols, from, to, rule, ...(fallback && { fallback }) };
  });
  return completePlan(fileType, convertedMetadata(view.metadata, fileType), tensors);
}

function lensFileType(metadata: GgufMetadata): PlainFileType {
  const id = metadata.get('general.file_type')?.value;
  const names = Object.keys(plainFileTypes) as PlainFileType[];
  return names.find((name) => plainFileTypes[name] === id) ?? 'F16';
}

/** The keys of the lens, with the type that was chosen. */
function convertedMetadata(metadata: GgufMetadata, fileType: PlainFileType): GgufMetadata {
  const result: GgufMetadata = new Map(metadata);
  result.set('general.file_type', { type: 'uint32', value: plainFileTypes[fileType] });
  result.set('general.quantization_version', { type: 'uint32', value: 2 });
  return result;
}
