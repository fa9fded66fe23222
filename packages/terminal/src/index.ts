export * from './anywhere.ts';
export { hasColours, painted, type Style } from './colour.ts';
export {
  type AnyCommandDefinition,
  type Argument,
  type CommandDefinition,
  type CommandLine,
  type Flag,
  type FlagGroup,
  modelForms,
  servedForms,
} from './command-definition.ts';
export { type DownloadProgress, downloadProgress } from './download-progress.ts';
export { exitCodeOf, exitCodes } from './exit-codes.ts';
export { expandFilePatterns } from './file-patterns.ts';
export { guardPipes, printJson, printLine, printNote, toJson } from './output.ts';
export { parseCount } from './parse-count.ts';
export { printable, printableLines } from './printable.ts';
export {
  createProgress,
  type Progress,
  type ProgressMode,
  type ProgressOptions,
  type ProgressState,
  progressMode,
} from './progress.ts';
export { describeProgress, type ProgressFigures } from './progress-line.ts';
export type { ProgressUnit } from './progress-units.ts';
export { type CommandContext, type CommandOptions, runCommand } from './run-command.ts';
export { type Column, formatTable } from './table.ts';
export { outputWidth, shortened } from './width.ts';
