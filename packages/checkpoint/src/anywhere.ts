// What runs anywhere: GGUF models, from any source.
export { checkRowRange, contiguousTensor, type TensorPlace } from './contiguous-tensor.ts';
export { openGgufModel } from './gguf-model.ts';
export type { HfCheckpoint, ModelView, PackedForm, PackedForms, Packing, TensorView } from './model-view.ts';
