// The tensors of a GGUF model under their Hugging Face names, as transformers has them. Nothing is read until rows are
// asked for.
import type { ModelView, TensorView } from '@quern/checkpoint';
import type { Architecture } from '../arch/architecture.ts';
import { type ExpectedTensor, expectedTensors } from '../arch/expected-tensors.ts';
import type { ModelNumbers } from '../arch/model-numbers.ts';
import { refuse } from '../lens/preflight.ts';
import { withListed } from './listed-tensors.ts';
import { isDense } from './sentence-transformers-files.ts';
import { storedTensors } from './stored-tensors.ts';

export interface CheckpointTensors {
  /** The embedding, then block after block, then the rest. */
  tensors: ReadonlyMap<string, TensorView>;
  /** Keys of config.json that say which tensors there are, `attention_bias` among them. */
  flags: ReadonlyMap<string, boolean>;
  /** The embedding is the output matrix too. */
  tied: boolean;
  /** Names of tensors that are F32 whatever the others are. */
  f32: ReadonlySet<string>;
}

/** @throws QuernError `tensors-missing`, `tensors-unexpected`, `tensors-wrong-shape` */
export function checkpointTensors(
  view: ModelView,
  architecture: Architecture,
  numbers: ModelNumbers,
): CheckpointTensors {
  const { path: file } = view;
  refuse(
    'tensors-missing',
    'The file promises more blocks than it has tensors:',
    numbers.blocks > view.tensors.size ? [String(numbers.blocks)] : [],
    { file },
  );
  const rules = expectedTensors(architecture, numbers);
  const stored = withListed(view, rules);
  const has = ({ gguf }: ExpectedTensor) => stored.has(gguf);
  const flags = new Map<string, boolean>();
  for (const entry of rules) {
    const flag = flagOf(entry);
    if (flag) flags.set(flag.name, flags.get(flag.name) === true || has(entry) === flag.is);
  }
  const expected = rules.filter((entry) => {
    const flag = flagOf(entry);
    return !flag || flags.get(flag.name) === flag.is;
  });
  const isRequired = (entry: ExpectedTensor) => entry.rule.presence === 'always' || flagOf(entry) !== undefined;
  const names = (entries: readonly ExpectedTensor[]) => entries.map(({ gguf }) => gguf);
  refuse('tensors-missing', 'The file lacks', names(expected.filter((entry) => isRequired(entry) && !has(entry))), {
    file,
    remedy: 'Fetch the file again.',
  });
  const known = new Set(names(expected));
  const unexpected = [...stored.keys()].filter((name) => !known.has(name) && !isDense(name));
  refuse('tensors-unexpected', `${architecture.hf[0]} has no place for`, unexpected, {
    file,
    remedy: 'Leaving them out would change what the model says.',
  });
  const found = inModelOrder(expected.filter(has));
  checkShapes(found, stored, file);

  const { tensors, incomplete } = storedTensors(found.map((entry) => ({ entry, tensor: stored.get(entry.gguf)! })));
  refuse('tensors-missing', 'The file lacks parts of', incomplete, { file, remedy: 'Fetch the file again.' });
  return {
    tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])),
    flags,
    tied: !stored.has('output.weight'),
    f32: new Set(found.flatMap(({ rule, sources }) => (rule.f32 ? sources.map(({ name }) => name) : []))),
  };
}

/** The key that says whether the tensor is there, and by which value. */
const flagOf = ({ rule: { presence } }: ExpectedTensor): { name: string; is: boolean } | undefined =>
  typeof presence === 'string' ? undefined : { name: presence.flag, is: presence.is ?? true };

const inModelOrder = (found: readonly ExpectedTensor[]): ExpectedTensor[] => {
  const place = ({ block, gguf }: ExpectedTensor) => block ?? (gguf === 'token_embd.weight' ? -1 : Number.MAX_VALUE);
  return [...found].sort((a, b) => place(a) - place(b));
};

function checkShapes(found: readonly ExpectedTensor[], tensors: ReadonlyMap<string, TensorView>, file: string): void {
  refuse(
    'tensors-wrong-shape',
    'The metadata and the tensors disagree:',
    found
      .map(({ gguf, shape }) => ({ view: tensors.get(gguf)!, shape }))
      .filter(({ view, shape }) => view.shape.join() !== shape.join())
      .map(({ view, shape }) => `${view.name} is [${view.shape}], the metadata make it [${shape}]`),
    { file },
  );
}
