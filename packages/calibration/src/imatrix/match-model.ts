// Whether an importance matrix belongs to a model: every weight that both know has as many columns in both.
import { QuernError } from '@quern/errors';
import type { EntryShape } from './open-imatrix.ts';

export interface MatchedTensor {
  /** Row-major, innermost dimension last. */
  readonly shape: readonly number[];
}

/**
 * @param tensors of the model, by GGUF name
 * @param file the importance matrix, for messages
 * @returns names of entries for which the model has no tensor
 * @throws QuernError `imatrix-other-model` when a size differs, or when nothing fits
 */
export function matchModel(
  entries: ReadonlyMap<string, EntryShape>,
  tensors: ReadonlyMap<string, MatchedTensor>,
  file?: string,
): string[] {
  const unknown: string[] = [];
  const remedy = 'Make an importance matrix of this model with quern calibrate.';
  for (const [name, { length }] of entries) {
    const tensor = tensors.get(name);
    if (!tensor) {
      unknown.push(name);
      continue;
    }
    const expected = importanceLength(tensor.shape);
    if (length !== expected)
      throw new QuernError('imatrix-other-model', `The entry has ${length} sums; the tensor needs ${expected}.`, {
        file,
        tensor: name,
        remedy,
      });
  }
  if (unknown.length === entries.size)
    throw new QuernError('imatrix-other-model', 'No entry of the importance matrix names a tensor of the model.', {
      file,
      remedy,
    });
  return unknown;
}

/** Columns, times the matrices of a stack (llama-quant.cpp: ne[0] · ne[2]). */
const importanceLength = (shape: readonly number[]): number => shape.at(-1)! * (shape.at(-3) ?? 1);
