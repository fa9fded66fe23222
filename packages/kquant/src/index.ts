export { type QuantizeFlagValues, quantizeFlagsGiven, type WriteFlagValues } from './command/flags.ts';
export { checkpointName, convertedName, mmprojName, modelName, quantizedName } from './command/output-name.ts';
export { checkWriteFlags, type OutputFlags, requireOutputNamed, requireOutputs } from './command/outputs.ts';
export {
  checkQuantizing,
  type PlanInputs,
  planInputs,
  type QuantizePlan,
  type QuantizePlanRequest,
  quantizePlan,
} from './command/quantize-plan.ts';
export { describePlan, describeTensors, describeVerdicts, describeWritten, planSummary } from './command/report.ts';
export { type FileBeside, type ReportOptions, writeAndReport } from './command/write-and-report.ts';
export { type ImportanceChoice, type ImportanceSource, openImportance } from './importance/open-importance.ts';
export { countFidelity, type Fidelity, fidelityOf } from './plan/fidelity.ts';
export { type FileType, fileTypeNamed, fileTypes } from './plan/file-types.ts';
export type { PlannedImatrix } from './plan/importance.ts';
export { splitName, splitPlan } from './plan/keep-split.ts';
export { keepsTypeBecause } from './plan/keeps-type.ts';
export { completePlan, type Plan, type PlannedTensor, type PlanTotals, type TensorPlan } from './plan/plan.ts';
export { type ConversionType, conversionType, planConversion } from './plan/plan-conversion.ts';
export { type PlanInput, type PlanOptions, planTypes } from './plan/plan-types.ts';
export { parseLayers } from './plan/prune-layers.ts';
export { refuseCompromises, refuseUnwritable } from './plan/refusals.ts';
export { ggmlType, readTensorTypes, type TensorTypeRule } from './plan/tensor-types.ts';
export { refuseErrors, type TensorVerdict, type VerifyOptions, verifyModel } from './verify/verify-model.ts';
export { type EncodedTensor, encodeTensor } from './write/encode-tensor.ts';
export { type MergeOptions, mergeParts } from './write/merge-parts.ts';
export { partName } from './write/part-file.ts';
export { parseShard, type ShardNumber } from './write/shard.ts';
export { sourceIdentity } from './write/source-identity.ts';
export { layoutOf, type WriteOptions, type WriteProgress, type WriteResult, writeModel } from './write/write-model.ts';
