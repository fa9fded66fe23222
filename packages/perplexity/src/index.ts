export { type BaseLogProbs, baseOfModel } from './divergence/base.ts';
export {
  type BaseFile,
  type BaseFileHead,
  type BaseFileWriter,
  baseFileBytes,
  createBaseFile,
  openBaseFile,
} from './divergence/base-file.ts';
export { compareRow, type RowComparison } from './divergence/row.ts';
export { type Distribution, type Divergence, divergenceOf } from './divergence/statistics.ts';
export { type Estimate, type Figures, figuresOf, Moments } from './figures.ts';
export { modelFingerprint, requireSameVocabulary } from './model-identity.ts';
export { perplexityLoadOptions, TargetScorer } from './model-run.ts';
export {
  type EvaluateWindowsOptions,
  evaluateWindows,
  type PerplexityOptions,
  type PerplexityResult,
  type PerplexityState,
  perplexity,
  perplexityOf,
} from './perplexity.ts';
export { mergeStates, type NamedState } from './state/merge.ts';
export type { ModelFacts, ModelRecord } from './state/model-record.ts';
export type { EvaluationSettings } from './state/settings.ts';
export { EvaluationJournal, type EvaluationState, readState, tasksOf } from './state/state-file.ts';
export { type Accuracy, accuracyOf } from './tasks/accuracy.ts';
export { type ChoiceTask, type TaskName, type TaskSet, taskNames } from './tasks/choice-task.ts';
export { readTaskSet } from './tasks/read-task-set.ts';
export { longestSequence, type PreparedTask, prepareTasks, scoreTask, type TaskScore } from './tasks/score-task.ts';
export type { Comparison, WindowScores } from './window-scores.ts';
export { defaultProfile, type Profile, profiles, type WindowShape } from './windows/profiles.ts';
export { perplexityTokens } from './windows/text-tokens.ts';
export {
  countWindows,
  profileNamed,
  type Shard,
  shardRange,
  type Window,
  type WindowOptions,
  type WindowPlan,
  windowAt,
  windowPlan,
} from './windows/window-plan.ts';
