export {
  type CalibrateOptions,
  type CalibrationState,
  calibrate,
  calibrationLoadOptions,
} from './collect/calibrate.ts';
export { type CalibrationText, type ChunkOptions, calibrationChunks } from './collect/chunks.ts';
export { ImportanceCollector } from './collect/collector.ts';
export { type Shortfall, shortfalls } from './collect/coverage.ts';
export { shuffled } from './collect/shuffle.ts';
export {
  entryImportance,
  type Importance,
  type ImportanceEntry,
  type ImportanceMatrix,
  importanceOf,
} from './imatrix/importance-matrix.ts';
export { type MatchedTensor, matchModel } from './imatrix/match-model.ts';
export { mergeImatrices, type NamedMatrix } from './imatrix/merge.ts';
export { type EntryShape, type ImatrixFile, openImatrix, readImatrix } from './imatrix/open-imatrix.ts';
export { type EntryStatistics, imatrixStatistics } from './imatrix/statistics.ts';
export { type ImatrixFormat, writeImatrix } from './imatrix/write-imatrix.ts';
export type { CalibrationPlan } from './plan.ts';
export { loadRecipe, type Recipe, recipeNames } from './recipe.ts';
export {
  type CalibrationProgress,
  type CalibrationResult,
  type RunOptions,
  runCalibration,
} from './run-calibration.ts';
