// Which type every tensor of a converted checkpoint gets, before any quantizing: what convert_hf_to_gguf.py would write.

import { dtypeByName } from '@quern/blocks';
import type { ModelView } from '@quern/checkpoint';
import type { GgufMetadata } from '@quern/gguf';
import { convertedDtype, type PlainFileType, plainFileTypes } from '@quern/models';
import { ggufTokenizerMetadata } from '@quern/tokenizer';
import { fallbackFrom } from './fallback.ts';
import { fileTypes } from './file-types.ts';
import { closestType, originOf } from './packed-source.ts';
import { completePlan, type Plan, type TensorPlan } from './plan.ts';

export type ConversionType = PlainFileType | 'auto';

/** `f16`, `AUTO`, … as a conversion type, or undefined: then it is a file type that wants a mixture. */
export function conversionType(name: string): ConversionType | undefined {
  const upper = name.toUpperCase();
  if (upper === 'AUTO') return 'auto';
  return upper in plainFileTypes ? (upper as PlainFileType) : undefined;
}

/** A model, with rules of its own for the types of tensors where it is no text model. */
export interface Convertible extends Pick<ModelView, 'metadata' | 'tensors'> {
  readonly dtypeOf?: typeof convertedDtype;
}

/**
 * @param view a Hugging Face checkpoint seen through its lens (`openModel`), tensors in the converter's order.
 * @param type `auto`: what the lens took from the checkpoint, BF16 or F16; packed weights get the type that holds their
 *   codes, if there is one.
 * @throws QuernError those of `ggufTokenizerMetadata`
 */
export function planConversion(view: Convertible, type: ConversionType): Plan {
  const { dtypeOf = convertedDtype } = view;
  const fileType = type === 'auto' ? lensFileType(view.metadata) : type;
  const tensors = [...view.tensors.values()].map((tensor) => {
    const { name, shape, rows, cols } = tensor;
    const plain = dtypeOf(name, shape, fileType);
    const small = plain.name === 'F32' && fileType !== 'F32';
    const codes = type === 'auto' && tensor.packed && !small ? closestType(tensor.packed) : undefined;
    const to = codes ?? plain;
    const fallback = fileType === 'Q8_0' && to.name === 'F16' ? fallbackFrom(dtypeByName(fileType), cols) : undefined;
    const rule = small ? 'kept: vector or small' : codes ? `holds the codes of ${tensor.packed!.format}` : fileType;
    return { name, shape, rows, cols, ...originOf(tensor, to), to, rule, ...(fallback && { fallback }) };
  });
  const { name, id } = mostlyPacked(tensors) ?? { name: fileType, id: plainFileTypes[fileType] };
  return completePlan(name, convertedMetadata(view.metadata, id), tensors);
}

/** The file type of a model whose packed weights keep their codes: that of most of them. */
function mostlyPacked(tensors: readonly Omit<TensorPlan, 'bytes'>[]): { name: string; id: number } | undefined {
  const weights = new Map<string, number>();
  for (const { to, rows, cols, packed } of tensors)
    if (packed?.codes) weights.set(to.name, (weights.get(to.name) ?? 0) + rows * cols);
  const [most] = [...weights].sort(([, a], [, b]) => b - a);
  return most && fileTypes.find(({ base, copies }) => base === most[0] && !copies);
}

function lensFileType(metadata: GgufMetadata): PlainFileType {
  const id = metadata.get('general.file_type')?.value;
  const names = Object.keys(plainFileTypes) as PlainFileType[];
  return names.find((name) => plainFileTypes[name] === id) ?? 'F16';
}

/** The keys of the lens, with the type that was chosen (`enum llama_ftype`); files of adapters do not tell it. */
function convertedMetadata(metadata: GgufMetadata, fileType: number): GgufMetadata {
  if (metadata.get('general.type')?.value === 'adapter') return metadata;
  const result: GgufMetadata = ggufTokenizerMetadata(metadata);
  result.set('general.file_type', { type: 'uint32', value: fileType });
  result.set('general.quantization_version', { type: 'uint32', value: 2 });
  return result;
}
