// Which model class a GGUF file becomes. Several classes share the GGUF architecture `llama`, and the file does not say
// which it was: the first of the table that can say everything the file says computes the same.
import type { ModelView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import type { Architecture } from '../arch/architecture.ts';
import { architectures } from '../arch/index.ts';
import type { Hyperparameters } from '../hyperparameters.ts';
import { architectureOf } from '../network-of.ts';

/** @throws QuernError `unknown-architecture`, `unsupported-model` */
export function exportedArchitecture(view: ModelView, numbers: Hyperparameters): Architecture {
  const first = architectureOf(view);
  const hasExperts = ({ experts = false }: Architecture) => experts;
  const places = (architecture: Architecture, gguf: string) => architecture.tensors.some((rule) => rule.gguf === gguf);
  const found = architectures.find(
    (architecture) =>
      architecture.name === first.name &&
      hasExperts(architecture) === hasExperts(first) &&
      (numbers.slidingWindow === undefined || architecture.slidingWindow) &&
      (!numbers.attnBias || places(architecture, 'blk.{i}.attn_q.bias')) &&
      (!numbers.attnOutputBias || places(architecture, 'blk.{i}.attn_output.bias')),
  );
  if (found) return found;
  throw new QuernError(
    'unsupported-model',
    `No model class has what this ${first.name} model has together: a sliding window, biases in attention.`,
    { file: view.path },
  );
}
