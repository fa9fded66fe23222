// Everything that can be wrong with a checkpoint's tensors, found from headers alone, before a byte of data is read.
import type { HfCheckpoint, TensorView } from '@quern/checkpoint';
import { nearest, QuernError } from '@quern/errors';
import type { Architecture, Json, TensorRule } from '../arch/architecture.ts';
import type { ExpectedStorage, ExpectedTensor } from '../arch/expected-tensors.ts';
import { leftOutNotes, leftOutPart } from './left-out.ts';
import { coreOf, renamingNotes, type TensorNames } from './tensor-names.ts';

/** What the checkpoint stores of an expected tensor. */
export interface MatchedTensor extends ExpectedTensor {
  /** The way it is stored. */
  storage: ExpectedStorage;
  /** In the order of the storage's `sources`. */
  views: readonly TensorView[];
}

/** What is known of a model beside its tensors. */
export interface Demands {
  readonly config: Json;
  readonly architecture: Architecture;
  readonly tied: boolean;
  /** Its text part was taken out of a wrapper, whose prefixes are no news. */
  readonly wrapped: boolean;
  /** Draft blocks that are there and not wanted: how the names of their tensors begin. */
  readonly dropped?: string;
}

/** Buffers that old checkpoints store and nobody needs: the converter skips the same. */
const ignorable = [
  ...['.attention.masked_bias', '.attention.bias', '.attn.masked_bias', '.attn.bias'],
  '.rotary_emb.inv_freq',
];

const readableAs = ({ type }: TensorRule): readonly string[] =>
  type === 'I32' ? ['I64', 'I32'] : ['F32', 'F16', 'BF16'];

/**
 * Pairs every tensor of the checkpoint with its rule.
 * @param expected all rules that apply to this architecture and these sizes
 * @param note told what is skipped
 * @returns those of `expected` that the checkpoint has
 * @throws QuernError `tensors-missing`, `tensors-unexpected`, `tensors-wrong-shape`, `tensors-unsupported-dtype`, each
 *   listing its offenders
 */
export function matchTensors(
  { tensors, path: file }: HfCheckpoint,
  names: TensorNames,
  expected: readonly ExpectedTensor[],
  demands: Demands,
  note: (text: string) => void,
): MatchedTensor[] {
  const { config, architecture, tied } = demands;
  const allowed = expected.filter(({ rule }) => isAllowed(rule, config) && rule.stored);
  const matched = allowed.flatMap((entry): MatchedTensor[] => {
    const found = storageOf(entry, names);
    return found ? [{ ...entry, ...found }] : [];
  });
  const used = new Set(matched.flatMap(({ views }) => views.map(({ name }) => name)));
  const others = [...tensors].flatMap(([name, { aliasOf }]) => (used.has(name) || aliasOf ? [] : [name]));
  const isSkipped = (name: string) => ignorable.some((ending) => name.endsWith(ending));
  const left = others.filter((name) => !isSkipped(name) && leftOutPart(name, architecture) !== undefined);
  const isDropped = (name: string) => demands.dropped !== undefined && names.coreStartsWith(name, demands.dropped);
  const dropped = others.filter(isDropped);
  const unexpected = others.filter((name) => !isSkipped(name) && !isDropped(name) && !left.includes(name));

  const there = new Set(matched.map(({ gguf }) => gguf));
  // What one block has, none like it can lack.
  const begun = new Set(matched.map(({ rule }) => rule));
  const missing = allowed
    .filter(({ gguf, rule }) => (isRequired(rule, config, tied) || begun.has(rule)) && !there.has(gguf))
    .flatMap(({ sources }) => sources.filter(({ name }) => !names.find(name)));
  refuseMissing(
    missing.map(({ name }) => name),
    unexpected,
    [...tensors.keys()],
    file,
  );
  refuse('tensors-unexpected', `${architecture.family} has no place for`, unexpected, {
    file,
    remedy: 'Leaving them out would change what the model says.',
  });

  const skipped = others.filter(isSkipped);
  if (skipped.length > 0) note(`skipped, computed at run time: ${listed(skipped)}`);
  for (const text of leftOutNotes(
    left.map((name) => tensors.get(name)!),
    architecture,
  ))
    note(text);
  if (dropped.length > 0)
    note(`left out, as asked: ${dropped.length} tensors of draft blocks, the first ${dropped[0]}`);
  if (!demands.wrapped) for (const text of renamingNotes(renamedOf(matched))) note(text);
  if (tied && there.has('output.weight'))
    note('tie_word_embeddings is true, yet lm_head.weight is stored: it becomes output.weight');
  checkViews(matched, file);
  return matched;
}

/** A head that is the embedding under another name needs no tensor of its own where config.json ties the two. */
export function withoutTiedHead(checkpoint: HfCheckpoint, tied: boolean): HfCheckpoint {
  const isHead = (name: string | undefined) => name !== undefined && coreOf(name) === 'lm_head.weight';
  const { tensors } = checkpoint;
  const shared = [...tensors.values()].some(({ name, aliasOf }) => aliasOf && (isHead(name) || isHead(aliasOf)));
  if (!tied || !shared) return checkpoint;
  return { ...checkpoint, tensors: new Map([...tensors].filter(([name]) => !isHead(name))) };
}

/** The first of the ways that the checkpoint has completely, and where it can be in the shapes that it should have. */
export function storageOf(
  { storages }: ExpectedTensor,
  names: TensorNames,
): Pick<MatchedTensor, 'storage' | 'views'> | undefined {
  const complete = storages.flatMap((storage): Pick<MatchedTensor, 'storage' | 'views'>[] => {
    const views = storage.sources.map(({ name }) => names.find(name));
    const { packed } = storage.stored;
    const fits = (view: TensorView | undefined): view is TensorView =>
      view !== undefined && (packed === undefined || packed === (view.packed !== undefined));
    return views.length > 0 && views.every(fits) ? [{ storage, views }] : [];
  });
  const inShape = complete.find(({ storage, views }) =>
    views.every((view, i) => hasShape(view, storage.sources[i]!.shape)),
  );
  return inShape ?? complete[0];
}

const hasShape = (view: TensorView, shape: readonly number[]): boolean =>
  view.shape.length === shape.length && view.shape.every((size, i) => size === shape[i]);

const renamedOf = (matched: readonly MatchedTensor[]): { stored: string; expected: string }[] =>
  matched.flatMap(({ storage, views }) =>
    views.flatMap(({ name }, i) =>
      name === storage.sources[i]!.name ? [] : [{ stored: name, expected: storage.sources[i]!.name }],
    ),
  );

/** Parts of packed weights are there under their own names only when nothing says how they are packed. */
const packedPart = /(\.(qweight|weight_packed|scales|weight_scale|weight_scale_inv)|_(blocks|scales))$/;

export function refuseMissing(
  missing: readonly string[],
  unexpected: readonly string[],
  stored: readonly string[],
  file: string,
): void {
  if (missing.length === 0) return;
  const part = stored.find((name) => packedPart.test(name));
  const near = nearest(missing[0]!, unexpected);
  const instead = near.length > 0 ? near : unexpected.slice(0, 3);
  const holds =
    unexpected.length === 0
      ? `It holds ${stored.length} tensors, all of them known`
      : `It holds ${unexpected.length} others, nearest to the first: ${instead.join(', ')}`;
  const remedy =
    part !== undefined
      ? `The weights look packed (${part}), and config.json has no quantization_config: put it back.`
      : unexpected.length > 0
        ? 'Check that config.json belongs to these weights, and how they were saved.'
        : 'Check that config.json belongs to these weights and that all their files are there.';
  throw new QuernError('tensors-missing', `The checkpoint lacks ${listed(missing)}. ${holds}.`, { file, remedy });
}

/** Shapes and types of what was found. */
export function checkViews(matched: readonly MatchedTensor[], file: string): void {
  const pairs = matched.flatMap(({ rule, storage, views }) =>
    views.map((view, i) => ({ view, shape: storage.sources[i]!.shape, types: readableAs(rule) })),
  );
  refuse(
    'tensors-wrong-shape',
    'config.json and the weights disagree:',
    pairs
      .filter(({ view, shape }) => !hasShape(view, shape))
      .map(({ view, shape }) => `${view.name} is [${view.shape}], config.json makes it [${shape}]`),
    { file },
  );
  refuse(
    'tensors-unsupported-dtype',
    'Wrong types of numbers:',
    pairs
      .filter(({ view, types }) => !types.includes(view.dtype.name))
      .map(({ view, types }) => `${view.name} is ${view.dtype.name}, needed ${types.join(' or ')}`),
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

function isRequired(rule: TensorRule, config: Json, tied: boolean): boolean {
  if (rule.presence === 'untied') return !tied;
  return rule.presence !== 'optional' && isAllowed(rule, config);
}

/** Whether a checkpoint with this config.json may have the tensors of a rule. */
export function isAllowed({ presence }: TensorRule, config: Json): boolean {
  if (typeof presence === 'string') return presence !== 'made';
  const on = (config[presence.flag] ?? presence.missing) === true;
  return on === (presence.is ?? true);
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
