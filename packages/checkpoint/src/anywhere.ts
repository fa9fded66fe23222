// What runs anywhere: GGUF models, from any source.
export { checkRowRange, contiguousTensor, type TensorPlace } from './contiguous-tensor.ts';
export { gatheredRows, type RowPlace } from './gathered-rows.ts';
export { openGgufModel } from './gguf-model.ts';
export {
  type HfCheckpoint,
  type ModelView,
  type PackedForm,
  type PackedForms,
  type Packing,
  storedBytes,
  type TensorView,
} from './model-view.ts';
export { withProvedForms } from './proved-forms.ts';
