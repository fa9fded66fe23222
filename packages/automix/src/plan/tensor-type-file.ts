// A mixture as rules of --tensor-type, one per line: what `quern quantize --tensor-type-file` and llama-quantize's flag of
// the same name read (words `PATTERN=TYPE`; no comments).
import { readTensorTypes, type TensorPlan, type TensorTypeRule } from '@quern/kquant';

/** Fits this name alone. */
const patternOf = (name: string): string => `^${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`;

export const tensorTypeLines = (tensors: readonly Pick<TensorPlan, 'name' | 'to'>[]): string[] =>
  tensors.map(({ name, to }) => `${patternOf(name)}=${to.name.toLowerCase()}`);

export const tensorTypeRules = (tensors: readonly Pick<TensorPlan, 'name' | 'to'>[]): Promise<TensorTypeRule[]> =>
  readTensorTypes(tensorTypeLines(tensors));
