// Activation-aware quantization, GPTQ, and round-to-nearest, layer by layer.
export { type FoldedPair, foldScales } from './fold/fold-scales.ts';
export { type PairScales, scaleRows, scalingsOf } from './fold/pair-scales.ts';
export { type ScaledViewOptions, withScales } from './fold/scaled-view.ts';
export { readScales, writeScales } from './fold/scales-file.ts';
export { factoredInputs } from './gptq/hessian.ts';
export { type GptqOptions, quantizeGptq } from './gptq/quantize-gptq.ts';
export type { Grid } from './grid/grid.ts';
export { quantizeMatrix } from './grid/quantized-matrix.ts';
export { embedTokens } from './layer/embed-tokens.ts';
export { findScales } from './run/find-scales.ts';
export type { LayerResult, Method } from './run/layer-task.ts';
export type { Prepared, QuantizeRequest } from './run/prepare.ts';
export { quantizeLayer } from './run/quantize-layer.ts';
export {
  type LayerReport,
  type QuantizeHooks,
  type QuantizeOptions,
  type QuantizeSummary,
  quantizeModel,
} from './run/quantize-model.ts';
export { type CalibrationSource, calibrationSequences } from './samples/calibration-sequences.ts';
export { listSamples } from './samples/list-samples.ts';
