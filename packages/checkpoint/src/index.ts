export { checkRowRange, contiguousTensor, type TensorPlace } from './contiguous-tensor.ts';
export { openGgufModel } from './gguf-model.ts';
export { openHfCheckpoint } from './hf-checkpoint.ts';
export type { HfCheckpoint, ModelView, TensorView } from './model-view.ts';
