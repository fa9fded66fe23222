// A GGUF file (or its splits) as a model: the metadata and names are already what everything above speaks.
import { type OpenGgufOptions, openGguf } from '@quern/gguf';
import type { Source } from '@quern/source';
import { contiguousTensor } from './contiguous-tensor.ts';
import type { ModelView, TensorView } from './model-view.ts';

/**
 * Opens a GGUF file by path, or reads from a source (which `close` closes); any split may be given. Only headers are read.
 * @throws QuernError those of `openGguf`
 */
export async function openGgufModel(input: string | Source, options: OpenGgufOptions = {}): Promise<ModelView> {
  const gguf = await openGguf(input, options);
  const tensors = new Map<string, TensorView>();
  for (const [name, { dtype, shape, source, offset }] of gguf.tensors) {
    tensors.set(name, contiguousTensor({ name, dtype, shape, source, begin: offset }));
  }
  const path = typeof input === 'string' ? input : input.name;
  return { path, metadata: gguf.metadata, tensors, close: () => gguf.close() };
}
