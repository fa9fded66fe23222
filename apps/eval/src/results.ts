// What was measured, as figures: the content of `--json`, and what tables and reports are made of.
import type { QuernError } from '@quern/errors';
import {
  type Accuracy,
  accuracyOf,
  type Divergence,
  divergenceOf,
  type EvaluationState,
  type Figures,
  figuresOf,
  type ModelRecord,
  Moments,
  perplexityOf,
  type TaskName,
  type TaskScore,
} from '@quern/perplexity';
import type { Measured } from './evaluate.ts';
import type { ModelSize } from './opened-model.ts';

/** Shares of right answers, by scoring. */
export interface TaskResult {
  readonly name: TaskName;
  /** llama.cpp's: mean log probability per token. */
  readonly llama: Accuracy;
  /** lm-eval's acc. */
  readonly acc: Accuracy;
  /** lm-eval's acc_norm; not defined for Winogrande. */
  readonly accNorm?: Accuracy;
}

export interface Evaluation
  extends Partial<Figures>,
    Partial<Pick<Measured, 'devices' | 'seconds' | 'tokensPerSecond' | 'interrupted'>> {
  /** As the user named it. */
  readonly model: string;
  readonly parameters: number;
  /** Of all files that hold tensors. */
  readonly fileBytes: number;
  /** Of the tensors alone. */
  readonly dataBytes: number;
  /** Of the tensors. */
  readonly bitsPerWeight: number;
  /** Scored; undefined without a text. */
  readonly windows?: number;
  /** Those of the whole text, where not all were scored before the user stopped. */
  readonly windowsOfText?: number;
  readonly divergence?: Divergence;
  readonly tasks?: readonly TaskResult[];
}

export interface Failure {
  readonly model: string;
  readonly failure: QuernError;
}

/** What became of one model. */
export type Outcome = Evaluation | Failure;

export interface BaseResult extends Figures {
  /** As the user named it. */
  readonly model: string;
  /** Unknown of a base file. */
  readonly size?: ModelSize;
}

/** Everything that one command found out. */
export interface Results {
  readonly text?: string;
  readonly profile?: string;
  readonly contextTokens?: number;
  readonly strideTokens?: number;
  readonly shard?: string;
  /** What quantized weights were multiplied with; unknown of merged states. */
  readonly activations?: 'f32' | 'int8';
  readonly base?: BaseResult;
  readonly models: readonly Outcome[];
}

export function evaluationOf(
  model: string,
  { record, devices, seconds, tokensPerSecond, interrupted }: Measured,
): Evaluation {
  const { parameters, fileBytes, dataBytes, bitsPerWeight } = record.facts;
  const windows = windowsOf(record);
  const compared = windows.length > 0 && windows.every(({ comparison }) => comparison);
  return {
    model,
    parameters,
    fileBytes,
    dataBytes,
    bitsPerWeight,
    ...(windows.length > 0 && { ...perplexityOf(windows), windows: windows.length }),
    ...(interrupted && { interrupted, windowsOfText: record.facts.windows }),
    ...(devices && { devices }),
    ...(seconds !== undefined && { seconds, tokensPerSecond }),
    ...(compared && { divergence: divergenceOf(windows) }),
    ...(record.tasks.size > 0 && { tasks: taskResults(record) }),
  };
}

/** The base's own figures, by any model that was compared with it on all windows. */
export function baseFigures(state: EvaluationState): Figures | undefined {
  for (const record of state.models.values()) {
    const windows = windowsOf(record);
    if (windows.length === 0 || !windows.every(({ comparison }) => comparison)) continue;
    const moments = new Moments();
    for (const { comparison } of windows) moments.addAll(comparison!.baseNll);
    return figuresOf(moments);
  }
  return undefined;
}

/** In the order of the text: sums then have the same bits, whatever order they were measured in. */
const windowsOf = ({ windows }: ModelRecord) => [...windows].sort(([a], [b]) => a - b).map(([, scores]) => scores);

function taskResults({ tasks }: ModelRecord): TaskResult[] {
  return [...tasks].map(([name, scores]) => {
    const share = (by: keyof TaskScore['right']): Accuracy =>
      accuracyOf(
        [...scores.values()].reduce((sum, { right }) => sum + right[by], 0),
        scores.size,
      );
    const result = { name, llama: share('llama'), acc: share('acc') };
    return name === 'winogrande' ? result : { ...result, accNorm: share('accNorm') };
  });
}
