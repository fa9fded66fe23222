// Everything that can be wrong with a checkpoint's tensors, found from headers alone, before a byte of data is read.
import type { HfCheckpoint, TensorView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import type { Architecture, TensorRule } from '../arch/architecture.ts';
import type { ExpectedTensor } from '../arch/expected-tensors.ts';

/** What the checkpoint stores of an expected tensor. */
export interface MatchedTensor extends ExpectedTensor {
  /** In the order of `sources`. */
  views: readonly TensorView[];
}

/** Buffers that old checkpoints store and nobody needs: the converter skips the same. */
const ignorable = ['.attention.masked_bias', '.attention.bias', '.rotary_emb.inv_freq'];

const readable = ['F32', 'F16', 'BF16'];

/**
 * Pairs every tensor of the checkpoint with its rule.
 * @param expected all rules that apply to this architecture and these sizes
 * @param note told what is skipped
 * @returns those of `expected` that the checkpoint has
 * @throws QuernError `tensors-missing`, `tensors-unexpected`, `tensors-wrong-shape`, `tensors-unsupported-dtype`, each
 *   listing its offenders
 */
export function matchTensors(
  checkpoint: HfCheckpoint,
  architecture: Architecture,
  expected: readonly ExpectedTensor[],
  note: (text: string) => void,
): MatchedTensor[] {
  const { config, path: file } = checkpoint;
  const tensors = withoutTiedHead(checkpoint);
  const allowed = expected.filter(({ rule }) => isAllowed(rule, config));
  const missing = allowed
    .filter(({ rule }) => isRequired(rule, config))
    .flatMap(({ sources }) => sources.filter(({ name }) => !tensors.has(name)));
  refuse(
    'tensors-missing',
    `The checkpoint lacks`,
    missing.map(({ name }) => name),
    { file, remedy: missingRemedy([...tensors.keys()]) },
  );

  const known = new Set(allowed.flatMap(({ sources }) => sources.map(({ name }) => name)));
  const others = [...tensors].flatMap(([name, { aliasOf }]) => (known.has(name) || aliasOf ? [] : [name]));
  const isSkipped = (name: string) => ignorable.some((ending) => name.endsWith(ending));
  const skipped = others.filter(isSkipped);
  const unexpected = others.filter((name) => !isSkipped(name));
  refuse('tensors-unexpected', `${architecture.family} has no place for`, unexpected, {
    file,
    remedy: 'Leaving them out would change what the model says.',
  });
  if (skipped.length > 0) note(`skipped, computed at run time: ${listed(skipped)}`);
  if (config.tie_word_embeddings === true && tensors.has('lm_head.weight')) {
    note('tie_word_embeddings is true, yet lm_head.weight is stored: it becomes output.weight');
  }

  const matched = allowed
    .filter(({ sources }) => sources.length > 0 && sources.every(({ name }) => tensors.has(name)))
    .map((entry): MatchedTensor => ({ ...entry, views: entry.sources.map(({ name }) => tensors.get(name)!) }));
  checkViews(matched, file);
  return matched;
}

/** A head that is the embedding under another name needs no tensor of its own where config.json ties the two. */
function withoutTiedHead({ config, tensors }: HfCheckpoint): HfCheckpoint['tensors'] {
  const head = 'lm_head.weight';
  const shared = [...tensors.values()].some(({ name, aliasOf }) => aliasOf && (name === head || aliasOf === head));
  if (config.tie_word_embeddings !== true || !shared) return tensors;
  return new Map([...tensors].filter(([name]) => name !== head));
}

/** Parts of packed weights are there under their own names only when nothing says how they are packed. */
const packedPart = /(\.(qweight|weight_packed|scales|weight_scale|weight_scale_inv)|_(blocks|scales))$/;

function missingRemedy(stored: readonly string[]): string {
  const part = stored.find((name) => packedPart.test(name));
  return part === undefined
    ? 'Fetch the checkpoint again, or check that config.json belongs to these weights.'
    : `The weights look packed (${part}), and config.json has no quantization_config: put it back.`;
}

/** Shapes and types. */
function checkViews(matched: readonly MatchedTensor[], file: string): void {
  const pairs = matched.flatMap(({ sources, views }) => views.map((view, i) => ({ view, shape: sources[i]!.shape })));
  refuse(
    'tensors-wrong-shape',
    'config.json and the weights disagree:',
    pairs
      .filter(
        ({ view, shape }) => view.shape.length !== shape.length || view.shape.some((size, i) => size !== shape[i]),
      )
      .map(({ view, shape }) => `${view.name} is [${view.shape}], config.json makes it [${shape}]`),
    { file },
  );
  refuse(
    'tensors-unsupported-dtype',
    `Weights must be ${readable.join(', ')}:`,
    pairs
      .filter(({ view }) => !readable.includes(view.dtype.name))
      .map(({ view }) => `${view.name} is ${view.dtype.name}`),
    { file, remedy: 'Start from the unquantized checkpoint.' },
  );
  refuse(
    'tensors-unsupported-dtype',
    'The experts of one matrix become one tensor and must share a type:',
    matched.flatMap(({ views: [first, ...others] }) =>
      others
        .filter((view) => view.dtype !== first!.dtype)
        .map((view) => `${view.name} is ${view.dtype.name}, ${first!.name} is ${first!.dtype.name}`),
    ),
    { file },
  );
}

function isRequired(rule: TensorRule, config: HfCheckpoint['config']): boolean {
  if (rule.presence === 'untied') return config.tie_word_embeddings !== true;
  return isAllowed(rule, config);
}

/** Whether a checkpoint with this config.json may have the tensors of a rule. */
export function isAllowed(rule: TensorRule, config: HfCheckpoint['config']): boolean {
  return rule.presence === 'attentionBias' ? config.attention_bias === true : rule.presence !== 'llama3Rope';
}

/** Throws when there are offenders, and lists them. */
export function refuse(
  code: string,
  what: string,
  offenders: readonly string[],
  place: { file: string; remedy?: string },
): void {
  if (offenders.length > 0) throw new QuernError(code, `${what} ${listed(offenders)}.`, place);
}

// Enough to see the pattern; a wrong config.json can make thousands.
const maxListed = 20;

function listed(names: readonly string[]): string {
  const rest = names.length - maxListed;
  return names.slice(0, maxListed).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}
