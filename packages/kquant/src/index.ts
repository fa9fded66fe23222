export { type FileType, fileTypeNamed, fileTypes } from './plan/file-types.ts';
export {
  completePlan,
  type Plan,
  type PlannedTensor,
  type PlanTotals,
  refuseFallbacks,
  type TensorPlan,
} from './plan/plan.ts';
export { type PlanOptions, planTypes } from './plan/plan-types.ts';
