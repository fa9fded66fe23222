// Whether a pair of matrices fits the weight that it is for.
import type { ModelView, TensorView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { embeddingName } from './lora.ts';

/** No one trains more, and a header may claim anything. */
const mostRank = 1 << 14;

export interface Factors {
  readonly a: TensorView;
  readonly b: TensorView;
}

/**
 * @param shape of the weight
 * @returns the rank
 * @throws QuernError `adapter-wrong-shape`, `adapter-bad-rank`
 */
export function checkShapes(weight: string, shape: readonly number[], { a, b }: Factors): number {
  const rank = b.shape.at(-1) ?? 0;
  if (!(rank >= 1 && rank <= mostRank))
    throw new QuernError('adapter-bad-rank', `The rank is ${rank}; it must be from 1 to ${mostRank}.`, placeOf(b));
  const [rows, cols] = shape.slice(-2) as [number, number];
  const stack = shape.slice(0, -2);
  const wanted =
    weight === embeddingName
      ? { a: [rows, rank], b: [cols, rank] }
      : { a: [...stack, rank, cols], b: [...stack, rows, rank] };
  for (const [view, expected] of [
    [a, wanted.a],
    [b, wanted.b],
  ] as const)
    if (view.shape.join() !== expected.join())
      throw new QuernError(
        'adapter-wrong-shape',
        `The tensor is [${view.shape.join(', ')}]; for ${weight} of the model, [${shape.join(', ')}], it must be [${expected.join(', ')}].`,
        { ...placeOf(view), remedy: 'The adapter was made for another model: give that one.' },
      );
  return rank;
}

/** The weight of the model. @throws QuernError `adapter-no-weight` */
export function weightOf(base: ModelView, weight: string, of: TensorView): TensorView {
  const found = base.tensors.get(weight);
  if (found) return found;
  const tied = weight === 'output.weight' && base.tensors.has(embeddingName);
  throw new QuernError(
    'adapter-no-weight',
    tied
      ? 'The adapter changes the output matrix, which the model has none of: its embedding stands for it.'
      : `The model has no ${weight}, which the adapter changes.`,
    {
      ...placeOf(of),
      remedy: tied ? 'Train without lm_head, or merge it with PEFT.' : 'Give the model that the adapter was made for.',
    },
  );
}

export const placeOf = ({ file, name, offset }: TensorView) => ({ file, tensor: name, offset });
