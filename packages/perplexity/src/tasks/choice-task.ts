// A question with several answers of which the model chooses one: what HellaSwag, Winogrande and the multiple-choice sets
// have in common, as the readers hand it over.
export interface Choice {
  /** What is given. */
  readonly context: string;
  /** What is scored; the text that the model sees is both in a row. */
  readonly continuation: string;
}

export interface ChoiceTask {
  readonly choices: readonly Choice[];
  /** Indices of the right choices. */
  readonly right: readonly number[];
  /** What lm-eval scores instead, where it forms the two parts otherwise. */
  readonly lmEvalChoices?: readonly Choice[];
}

/** How llama.cpp scores a set (tools/perplexity). */
export type LlamaRule = 'ending' | 'suffix';

export interface TaskSet {
  readonly name: TaskName;
  readonly rule: LlamaRule;
  readonly tasks: readonly ChoiceTask[];
}

export const taskNames = ['hellaswag', 'winogrande', 'multiple-choice'] as const;
export type TaskName = (typeof taskNames)[number];
