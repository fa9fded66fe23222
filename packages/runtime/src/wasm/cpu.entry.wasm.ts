// The WASM module of the CPU device: one kernel per op, all of the form
// kernel(args, begin, end, scratch): args points at 32-bit words (each kernel lists its own), items begin … end are done,
// scratch is 32 KiB that belong to the calling thread.
export { act } from '../ops/act/kernel.wasm';
export { add } from '../ops/add/kernel.wasm';
export { addExpertBias } from '../ops/add-expert-bias/kernel.wasm';
export { causalConv } from '../ops/causal-conv/kernel.wasm';
export { gatedDeltaRule } from '../ops/gated-delta-rule/kernel.wasm';
export { mamba2Scan } from '../ops/mamba2-scan/kernel.wasm';
export { meanRows } from '../ops/mean-rows/kernel.wasm';
export { moveColumns } from '../ops/columns/move-columns.wasm';
export { attention, attentionJoin, attentionSpans } from '../ops/attention/kernel.wasm';
export { combineExperts } from '../ops/combine-experts/kernel.wasm';
export { embed } from '../ops/embed/kernel.wasm';
export { gate } from '../ops/gate/kernel.wasm';
export { gatedAct } from '../ops/gated-act/kernel.wasm';
export { gatherRows } from '../ops/gather-rows/kernel.wasm';
export { kvWrite } from '../ops/kv-write/kernel.wasm';
export { layerNorm } from '../ops/layer-norm/kernel.wasm';
export { logProb } from '../ops/log-prob/kernel.wasm';
export { logSumExp } from '../ops/log-sum-exp/kernel.wasm';
export { matmul } from '../ops/matmul/kernel.wasm';
export { moveGroups } from '../ops/matmul/move-groups.wasm';
export { roundRows } from '../ops/matmul/round-rows.wasm';
export { matmulExperts } from '../ops/matmul-experts/kernel.wasm';
export { multiply } from '../ops/multiply/kernel.wasm';
export { rmsNorm } from '../ops/rms-norm/kernel.wasm';
export { rope } from '../ops/rope/kernel.wasm';
export { route } from '../ops/route/kernel.wasm';
export { routeWeights } from '../ops/route-weights/kernel.wasm';
export { scale } from '../ops/scale/kernel.wasm';
export { hadamard } from '../ops/hadamard/kernel.wasm';
export { softCap } from '../ops/soft-cap/kernel.wasm';
export { softmax } from '../ops/softmax/kernel.wasm';
export { sumSquares } from '../ops/sum-squares/kernel.wasm';
export { sumSquaresExperts } from '../ops/sum-squares-experts/kernel.wasm';
export { topK } from '../ops/top-k/kernel.wasm';
export { xielu } from '../ops/xielu/kernel.wasm';
export { decode } from './decoders.wasm';
export { takesIntegers } from './integer-types.wasm';
export { areFinite } from './plain-row.wasm';

/** First byte after the module's constants. */
export function heapBase(): usize {
  return __heap_base;
}
