// A GGUF file (or its splits) as a model: the metadata and names are already what everything above speaks.
import { openGguf } from '@quern/gguf';
import { contiguousTensor } from './contiguous-tensor.ts';
import type { ModelView, TensorView } from './model-view.ts';

/**
 * Opens a GGUF file; any split may be named. Only headers are read.
 * @throws QuernError those of `openGguf`
 */
export async function openGgufModel(path: string): Promise<ModelView> {
  const gguf = await openGguf(path);
  const tensors = new Map<string, TensorView>();
  for (const [name, { dtype, shape, source, offset }] of gguf.tensors) {
    tensors.set(name, contiguousTensor({ name, dtype, shape, source, begin: offset }));
  }
  return { path, metadata: gguf.metadata, tensors, close: () => gguf.close() };
}
