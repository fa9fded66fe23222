// Activation-aware quantization, GPTQ, and round-to-nearest, layer by layer.
export { type PairScales, scaleRows, scalingsOf } from './fold/pair-scales.ts';
export type { Grid } from './grid/grid.ts';
export { quantizeMatrix } from './grid/quantized-matrix.ts';
export { embedTokens } from './layer/embed-tokens.ts';
export type { Preflight } from './run/preflight.ts';
export {
  type QuantizeHooks,
  type QuantizeRequest,
  type QuantizeSummary,
  quantizeToFolder,
} from './run/quantize-folder.ts';
export { type LayerResult, type Method, quantizeLayer } from './run/quantize-layer.ts';
export { listSamples } from './samples/list-samples.ts';
