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
