export * from './anywhere.ts';
export { hfModelView, type LensOptions } from './lens/hf-model-view.ts';
export { openModel } from './open-model.ts';
