export { convertedName, quantizedName } from './output-name.ts';
export { type FileType, fileTypeNamed, fileTypes } from './plan/file-types.ts';
export {
  completePlan,
  type Plan,
  type PlannedTensor,
  type PlanTotals,
  refuseFallbacks,
  type TensorPlan,
} from './plan/plan.ts';
export { type ConversionType, conversionType, planConversion } from './plan/plan-conversion.ts';
export { type PlanInput, type PlanOptions, planTypes } from './plan/plan-types.ts';
export { describePlan, describeTensors, describeWritten, planSummary } from './report.ts';
export { type WriteOptions, type WriteProgress, type WriteResult, writeModel } from './write/write-model.ts';
export { type ReportOptions, writeAndReport } from './write-and-report.ts';
