// What has been measured of one model so far.
import type { TaskName } from '../tasks/choice-task.ts';
import type { TaskScore } from '../tasks/score-task.ts';
import type { WindowScores } from '../window-scores.ts';

export interface ModelFacts {
  readonly parameters: number;
  /** Of all files that hold tensors. */
  readonly fileBytes: number;
  /** Of the tensors alone. */
  readonly dataBytes: number;
  /** Of the tensors. */
  readonly bitsPerWeight: number;
  /** Windows that the text has for this model, in all shards together. */
  readonly windows: number;
}

export interface ModelRecord {
  /** As the user named it. */
  readonly model: string;
  /** `modelFingerprint` */
  readonly fingerprint: string;
  readonly facts: ModelFacts;
  /** By index. */
  readonly windows: Map<number, WindowScores>;
  readonly tasks: Map<TaskName, Map<number, TaskScore>>;
}
