// An adapter in GGUF, as llama.cpp's convert_lora_to_gguf.py writes it and its llama_adapter_lora_init reads it.
import { type ModelView, openGgufModel, type TensorView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { metadataReader } from '../metadata-reader.ts';
import { checkShapes, placeOf, weightOf } from './check-pair.ts';
import type { LoraAdapter, LoraPair } from './lora.ts';

/**
 * @param base the model that it is for
 * @throws QuernError `not-an-adapter`, `adapter-unsupported`, `adapter-wrong-model`, `adapter-bad-scale`,
 *   `adapter-tensor-unexpected`, `adapter-tensor-missing`, `adapter-no-weight`, `adapter-wrong-shape`, `adapter-bad-rank`,
 *   and those of `openGgufModel`
 */
export async function openGgufAdapter(path: string, base: ModelView): Promise<LoraAdapter> {
  const view = await openGgufModel(path);
  try {
    const alpha = readHeader(view, base);
    return { path, pairs: pairsOf(view, base, alpha), close: () => view.close() };
  } catch (error) {
    await view.close();
    throw error;
  }
}

/** @returns alpha; 0 where there is none, as in llama.cpp: then pairs are added as they are */
function readHeader(view: ModelView, base: ModelView): number {
  const { path: file } = view;
  const read = metadataReader(view);
  if (read.optionalString('general.type') !== 'adapter')
    throw new QuernError('not-an-adapter', 'The file holds no adapter (its general.type says so).', {
      file,
      remedy: 'Give what quern convert-lora or convert_lora_to_gguf.py wrote.',
    });
  const type = read.optionalString('adapter.type');
  if (type !== 'lora')
    throw new QuernError(
      'adapter-unsupported',
      `The adapter is of the type ${type ?? 'that nothing names'}, not lora.`,
      {
        file,
      },
    );
  if (read.has('adapter.alora.invocation_tokens'))
    throw new QuernError(
      'adapter-unsupported',
      'The adapter works from certain tokens on (aLoRA); this one cannot be applied.',
      {
        file,
      },
    );
  const [ours, its] = [base, view].map((of) => metadataReader(of).optionalString('general.architecture'));
  if (ours !== its)
    throw new QuernError('adapter-wrong-model', `The adapter is for ${its} models, and the model is ${ours}.`, {
      file,
      remedy: 'Give the model that it was made for.',
    });
  const alpha = read.optionalNumber('adapter.lora.alpha', 0, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
  if (Number.isFinite(alpha)) return alpha;
  throw new QuernError('adapter-bad-scale', `adapter.lora.alpha is ${alpha}.`, { file });
}

function pairsOf(view: ModelView, base: ModelView, alpha: number): Map<string, LoraPair> {
  const halves = new Map<string, { a?: TensorView; b?: TensorView }>();
  for (const tensor of view.tensors.values()) {
    const [, weight, half] = /^(.+)\.lora_(a|b)$/.exec(tensor.name) ?? [];
    if (weight === undefined)
      throw new QuernError('adapter-tensor-unexpected', 'The tensor is no half of a pair: it would not be applied.', {
        ...placeOf(tensor),
        remedy: 'Merge the adapter with PEFT, which applies it.',
      });
    halves.set(weight, { ...halves.get(weight), [half as 'a' | 'b']: tensor });
  }
  if (halves.size === 0)
    throw new QuernError('adapter-tensor-missing', 'The adapter has no tensors.', { file: view.path });
  return new Map(
    [...halves].map(([weight, { a, b }]) => {
      if (!a || !b)
        throw new QuernError(
          'adapter-tensor-missing',
          `The other half of the pair is missing (lora_${a ? 'b' : 'a'}).`,
          {
            ...placeOf((a ?? b)!),
            remedy: 'Fetch or convert the adapter again.',
          },
        );
      const rank = checkShapes(weight, weightOf(base, weight, a).shape, { a, b });
      return [weight, { weight, a, b, rank, factor: alpha === 0 ? 1 : alpha / rank }];
    }),
  );
}
