export { checkRowRange, contiguousTensor, type TensorPlace } from './contiguous-tensor.ts';
export { openGgufModel } from './gguf-model.ts';
export { openHfCheckpoint } from './hf-checkpoint.ts';
export { isGguf } from './is-gguf.ts';
export { type Located, type LocateOptions, locateCheckpoint } from './locate.ts';
export type { HfCheckpoint, ModelView, TensorView } from './model-view.ts';
