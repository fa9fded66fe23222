// Types per tensor chosen by measured sensitivity.
export { allocate, type Choice } from './allocation/allocate.ts';
export { type CalibrationChoice, chunksFor } from './calibration-chunks.ts';
export {
  type AutomixOptions,
  type AutomixResult,
  chooseMixture,
  type MeasuredMixture,
  requireTarget,
} from './choose-mixture.ts';
export { type Budget, parseTargetBits, parseTargetSize, type Target } from './plan/target.ts';
export { tensorTypeLines } from './plan/tensor-type-file.ts';
export type { MeasuringOptions } from './sensitivity/measuring-plan.ts';
export type { Sensitivity } from './sensitivity/sensitivity-table.ts';
export { type SensitivitySettings, settingsHash, settingsOf } from './sensitivity/settings.ts';
