export {
  type CalibrateOptions,
  type CalibrationState,
  calibrate,
  calibrationLoadOptions,
} from './collect/calibrate.ts';
export { type CalibrationText, type ChunkOptions, calibrationChunks } from './collect/chunks.ts';
export { ImportanceCollector } from './collect/collector.ts';
export { type Shortfall, shortfalls } from './collect/coverage.ts';
export { writeImatrix } from './imatrix/gguf-imatrix.ts';
export {
  entryImportance,
  type Importance,
  type ImportanceEntry,
  type ImportanceMatrix,
  importanceOf,
} from './imatrix/importance-matrix.ts';
export { encodeLegacyImatrix } from './imatrix/legacy-imatrix.ts';
export { type EntryShape, type ImatrixFile, openImatrix, readImatrix } from './imatrix/open-imatrix.ts';
