// The tensors of a GGUF model under their Hugging Face names: q and k in transformers' order of rows, stacked experts one
// by one. Nothing is read until rows are asked for.
import type { ModelView, TensorView } from '@quern/checkpoint';
import type { Architecture } from '../arch/architecture.ts';
import { type ExpectedTensor, expectedTensors } from '../arch/expected-tensors.ts';
import type { Hyperparameters } from '../hyperparameters.ts';
import { refuse } from '../lens/preflight.ts';
import { expertTensor } from './expert-tensor.ts';
import { unpermutedTensor } from './unpermuted-tensor.ts';

export interface CheckpointTensors {
  /** The embedding, then block after block, then the rest. */
  tensors: ReadonlyMap<string, TensorView>;
  /** q, k, v (and, where the class has it, the output projection) have biases. */
  attentionBias: boolean;
  /** The embedding is the output matrix too. */
  tied: boolean;
}

/** @throws QuernError `tensors-missing`, `tensors-unexpected`, `tensors-wrong-shape`, `tensors-unsupported-dtype` */
export function checkpointTensors(
  view: ModelView,
  architecture: Architecture,
  numbers: Hyperparameters,
): CheckpointTensors {
  const { tensors: stored, path: file } = view;
  const blocks = Math.min(numbers.blockCount, stored.size);
  refuse(
    'tensors-missing',
    'The file promises more blocks than it has tensors:',
    blocks < numbers.blockCount ? [String(numbers.blockCount)] : [],
    { file },
  );
  const rules = expectedTensors(architecture, numbers, blocks);
  const has = ({ gguf }: ExpectedTensor) => stored.has(gguf);
  const attentionBias = rules.some((entry) => entry.rule.presence === 'attentionBias' && has(entry));
  const expected = rules.filter(({ rule }) => rule.presence !== 'attentionBias' || attentionBias);
  const isRequired = ({ rule: { presence } }: ExpectedTensor) => presence === 'always' || presence === 'attentionBias';
  const names = (entries: readonly ExpectedTensor[]) => entries.map(({ gguf }) => gguf);
  refuse('tensors-missing', 'The file lacks', names(expected.filter((entry) => isRequired(entry) && !has(entry))), {
    file,
    remedy: 'Fetch the file again.',
  });
  const known = new Set(names(expected));
  const unexpected = [...stored.keys()].filter((name) => !known.has(name));
  refuse('tensors-unexpected', `${architecture.hf[0]} has no place for`, unexpected, {
    file,
    remedy: 'Leaving them out would change what the model says.',
  });
  const found = expected.filter(has);
  checkViews(found, view);

  const tensors = new Map<string, TensorView>();
  for (const entry of inModelOrder(found)) {
    const tensor = stored.get(entry.gguf)!;
    for (const [i, { name, shape }] of entry.sources.entries()) {
      const one = entry.sources.length > 1 || entry.rule.hf?.includes('{j}') ? expertTensor(tensor, i, shape) : tensor;
      tensors.set(name, { ...unpermuted(entry, one, numbers), name });
    }
  }
  return { tensors, attentionBias, tied: !stored.has('output.weight') };
}

function unpermuted({ rule }: ExpectedTensor, tensor: TensorView, numbers: Hyperparameters): TensorView {
  if (!rule.permute) return tensor;
  return unpermutedTensor(tensor, rule.permute === 'q' ? numbers.headCount : numbers.headCountKv);
}

const inModelOrder = (found: readonly ExpectedTensor[]): ExpectedTensor[] => {
  const place = ({ block, gguf }: ExpectedTensor) => block ?? (gguf === 'token_embd.weight' ? -1 : Number.MAX_VALUE);
  return [...found].sort((a, b) => place(a) - place(b));
};

function checkViews(found: readonly ExpectedTensor[], { tensors, path: file }: ModelView): void {
  const pairs = found.map(({ gguf, shape, rule }) => ({ view: tensors.get(gguf)!, shape, rule }));
  refuse(
    'tensors-wrong-shape',
    'The metadata and the tensors disagree:',
    pairs
      .filter(({ view, shape }) => view.shape.join() !== shape.join())
      .map(({ view, shape }) => `${view.name} is [${view.shape}], the metadata make it [${shape}]`),
    { file },
  );
  refuse(
    'tensors-unsupported-dtype',
    'A vector whose elements are reordered must not be stored in blocks:',
    pairs
      .filter(({ view, rule }) => rule.permute && view.shape.length === 1 && view.dtype.blockSize > 1)
      .map(({ view }) => `${view.name} is ${view.dtype.name}`),
    { file },
  );
}
