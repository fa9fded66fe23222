// Which model class a GGUF file becomes. Several classes share the GGUF architecture `llama`, and the file does not say
// which it was: the first of the table that can say everything the file says computes the same.
import type { ModelView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import type { Architecture, FileFacts } from '../arch/architecture.ts';
import { architectures } from '../arch/index.ts';
import { metadataReader } from '../metadata-reader.ts';
import { architectureOf } from '../network-of.ts';

/** @throws QuernError `unknown-architecture`, `unsupported-model` */
export function exportedArchitecture(view: ModelView): Architecture {
  const first = architectureOf(view);
  const { metadata, tensors } = view;
  const says = (architecture: Architecture, key: string) =>
    architecture.config.some((rule) => typeof rule === 'object' && rule.gguf.includes(key));
  const window = 'attention.sliding_window';
  const places = (architecture: Architecture, gguf: string) =>
    !tensors.has(gguf.replace('{i}', '0')) || architecture.tensors.some((rule) => rule.gguf === gguf);
  const facts: FileFacts = {
    has: (key) => metadata.has(`${first.name}.${key}`),
    number: (key) => {
      const value = metadata.get(`${first.name}.${key}`)?.value;
      return typeof value === 'number' ? value : undefined;
    },
    preTokenizer: metadataReader(view).optionalString('tokenizer.ggml.pre'),
    tokenizerModel: metadataReader(view).optionalString('tokenizer.ggml.model'),
    hasTensor: (name) => tensors.has(name),
  };
  const found = architectures.find(
    (architecture) =>
      architecture.name === first.name &&
      architecture.experts === first.experts &&
      (architecture.isOf?.(facts) ?? true) &&
      (!metadata.has(`${first.name}.${window}`) || architecture.slidingWindow || says(architecture, window)) &&
      places(architecture, 'blk.{i}.attn_q.bias') &&
      places(architecture, 'blk.{i}.attn_output.bias'),
  );
  if (found) return found;
  throw new QuernError(
    'unsupported-model',
    `No model class has what this ${first.name} model has together: a sliding window, biases in attention.`,
    { file: view.path },
  );
}
