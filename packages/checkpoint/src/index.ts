export type { HfCheckpoint, ModelView, TensorView } from './model-view.ts';
