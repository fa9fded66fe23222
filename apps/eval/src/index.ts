export { evalCommand } from './command.ts';
export { type EvaluateOptions, type Evaluation, evaluate, type Text } from './evaluate.ts';
