export { exitCodeOf, exitCodes, exitForUsage } from './exit-codes.ts';
export { integerOption } from './integer-option.ts';
export { guardPipes, printJson, printLine, printNote, toJson } from './output.ts';
export {
  createProgress,
  describeProgress,
  type Progress,
  type ProgressMode,
  type ProgressOptions,
  type ProgressState,
  progressMode,
} from './progress.ts';
export { type CommandContext, type CommandOptions, runCommand } from './run-command.ts';
export { type Column, formatTable } from './table.ts';
export { formatBits, formatBytes, formatCount, formatDuration } from './units.ts';
