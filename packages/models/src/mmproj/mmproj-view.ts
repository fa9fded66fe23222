// The towers of a checkpoint seen as llama.cpp's mmproj file, as the lens sees its text model as a GGUF model. Nothing but
// headers and JSON is read until rows are asked for.
import type { HfCheckpoint, ModelView, TensorView } from '@quern/checkpoint';
import { openHfCheckpoint } from '@quern/checkpoint';
import { nearest, QuernError } from '@quern/errors';
import type { GgufMetadata } from '@quern/gguf';
import { configError, isObject } from '../arch/config-error.ts';
import type { ConfigRule, Json } from '../arch/config-rule.ts';
import { type ExpectedTensor, expectedTensors } from '../arch/expected-tensors.ts';
import { modelNumbers } from '../arch/model-numbers.ts';
import { blaming } from '../lens/blaming.ts';
import { checkSupported, configFile, ggufValue, readRules } from '../lens/config-reader.ts';
import { inConverterOrder } from '../lens/converter-order.ts';
import { convertedDtype, guessFileType, type PlainFileType, plainFileTypes } from '../lens/dtype-policy.ts';
import { fixedType } from '../lens/fixed-type.ts';
import { describingMetadata } from '../lens/general-metadata.ts';
import { ggufTensor } from '../lens/gguf-tensor.ts';
import { isTowerTensor } from '../lens/left-out.ts';
import { checkViews, type MatchedTensor, refuse, refuseMissing, storageOf } from '../lens/preflight.ts';
import { coreOf, type TensorNames, tensorNames } from '../lens/tensor-names.ts';
import { trackedConfig } from '../lens/tracked-config.ts';
import { refuseUnread } from '../lens/unread-keys.ts';
import { textConfigOf } from '../lens/wrapper.ts';
import type { Encoder, TowerFacts } from './encoder.ts';
import { encoders, encodersOf, partOf } from './index.ts';
import { processorOf } from './processor.ts';
import { tokenIds } from './token-ids.ts';

export interface MmprojView extends ModelView {
  /** Type of a tensor in a file of this type: towers have rules of their own. */
  readonly dtypeOf: typeof convertedDtype;
}

/**
 * Opens the towers of a checkpoint folder.
 * @throws QuernError `mmproj-none`, `mmproj-unknown`, `mmproj-empty`, `processor-bad-config`, and those of `openModel`
 */
export async function openMmproj(path: string): Promise<MmprojView> {
  const checkpoint = await openHfCheckpoint(path);
  try {
    return await mmprojView(checkpoint);
  } catch (error) {
    await checkpoint.close();
    throw error;
  }
}

/** What one tower brings to the file. */
interface Part {
  readonly metadata: GgufMetadata;
  readonly matched: readonly MatchedTensor[];
}

/** Closing the view closes the checkpoint. */
export async function mmprojView(checkpoint: HfCheckpoint): Promise<MmprojView> {
  const { path: folder, tensors: stored } = checkpoint;
  const notes: string[] = [];
  const note = (text: string) => notes.push(text);
  const found = towersOf(checkpoint);
  const towers = [...stored.values()].filter(({ name, aliasOf }) => !aliasOf && isTowerTensor(name));
  if (towers.length === 0)
    throw new QuernError(
      'mmproj-empty',
      `config.json describes a ${found[0]!.family}, and the checkpoint holds no tensor of it.`,
      { file: folder, remedy: 'Take the towers from the model that this one was made of.' },
    );
  const names = tensorNames(checkpoint);
  const facts: TowerFacts = {
    shapeOf: (name) => names.find(name)?.shape,
    tokenId: await tokenIds(checkpoint),
  };
  const parts: Part[] = [];
  for (const encoder of found) parts.push(await partOfFile(checkpoint, encoder, names, facts, towers, note));
  const matched = inConverterOrder(parts.flatMap((part) => part.matched));
  countTensors(towers, matched, found, folder, note);

  const tensors = new Map(matched.map((match): [string, TensorView] => [match.gguf, ggufTensor(match)]));
  const types = new Map(matched.map(({ gguf, rule }) => [gguf, rule.type]));
  const metadata: GgufMetadata = new Map([
    ['general.architecture', { type: 'string', value: 'clip' }],
    ['general.type', { type: 'string', value: 'mmproj' }],
    ...(await describingMetadata(checkpoint, tensors.values(), { note })),
    ['general.file_type', { type: 'uint32', value: plainFileTypes[guessFileType(towers)] }],
    ...parts.flatMap((part) => [...part.metadata]),
    ['general.quantization_version', { type: 'uint32', value: 2 }],
  ]);
  const dtypeOf = (name: string, shape: readonly number[], fileType: PlainFileType) =>
    fixedType(types.get(name), tensors.get(name)!, fileType) ?? convertedDtype(name, shape, fileType);
  return { path: folder, metadata, tensors, notes, dtypeOf, close: () => checkpoint.close() };
}

/** @throws QuernError `mmproj-none` when config.json describes no tower, `mmproj-unknown` when nobody knows it */
function towersOf({ config, path }: HfCheckpoint): readonly Encoder[] {
  const file = configFile({ path });
  const towers = ['vision', 'audio'].filter((of) => isObject(config[`${of}_config`]));
  if (towers.length === 0)
    throw new QuernError('mmproj-none', 'config.json describes no vision or audio tower, so there is no mmproj file.', {
      file,
      remedy: 'Leave --mmproj out: this is a text model.',
    });
  const found = encodersOf(config);
  const unknown = towers.filter((of) => !found.some((encoder) => encoder.of === of));
  if (unknown.length === 0) return found;
  const [name = 'no class'] = (config.architectures ?? []) as string[];
  const known = [...new Set(encoders.flatMap(({ hf }) => hf))];
  throw new QuernError(
    'mmproj-unknown',
    `The ${unknown.join(' and ')} tower of ${name} is not one that can be written.`,
    {
      file,
      remedy: `Towers are written for ${known.join(', ')}; nearest: ${nearest(name, known)[0] ?? 'none'}.`,
    },
  );
}

async function partOfFile(
  checkpoint: HfCheckpoint,
  encoder: Encoder,
  names: TensorNames,
  facts: TowerFacts,
  towers: readonly TensorView[],
  note: (text: string) => void,
): Promise<Part> {
  const { config: whole, path } = checkpoint;
  const file = configFile(checkpoint);
  const processor = await processorOf(checkpoint, encoder, note);
  const tracked = trackedConfig(whole[partOf(encoder.of)] as Record<string, unknown>, {
    ...{ whole, processor },
    text: textConfigOf(checkpoint).config,
  });
  return blaming(file, () => {
    checkSupported(checkpoint, tracked, encoder);
    const metadata = metadataOf(tracked.config, encoder.config);
    const expected = expectedOf(encoder, tracked.config, metadata, facts, file);
    const matched = expected.flatMap((tensor): MatchedTensor[] => {
      const stored = storageOf(tensor, names);
      return stored ? [{ ...tensor, ...stored }] : [];
    });
    const there = new Set(matched.map(({ gguf }) => gguf));
    const used = new Set(matched.flatMap(({ views }) => views.map(({ name }) => name)));
    refuseMissing(
      expected.filter(({ gguf }) => !there.has(gguf)).flatMap(({ sources }) => sources.map(({ name }) => name)),
      towers.filter(({ name }) => !used.has(name)).map(({ name }) => name),
      towers.map(({ name }) => name),
      path,
    );
    checkViews(matched, path);
    for (const text of encoder.notes?.(tracked.config, facts) ?? []) note(text);
    refuseUnread(tracked, encoder, file);
    return { metadata, matched };
  });
}

function metadataOf(config: Json, rules: readonly ConfigRule[]): GgufMetadata {
  const values = readRules(config, rules, { draftBlocks: 0, stores: () => false });
  const metadata: GgufMetadata = new Map();
  for (const [rule, value] of values) for (const key of rule.gguf) metadata.set(`clip.${key}`, ggufValue(rule, value));
  return metadata;
}

function expectedOf(
  { of, tensors, sizes }: Encoder,
  config: Json,
  metadata: GgufMetadata,
  facts: TowerFacts,
  path: string,
): ExpectedTensor[] {
  const name = `clip.${of}`;
  const numbers = modelNumbers({ path, metadata }, name, 0);
  const [width, heads] = [numbers.at('embedding_length')!, numbers.at('attention.head_count')!];
  if (width % heads !== 0 || (width / heads) % 2 !== 0)
    throw configError(`${heads} heads of the ${of} tower do not divide its width ${width} into pairs`);
  const own = sizes?.(numbers, config) ?? {};
  const common = { three: 3, patch: numbers.at('patch_size') ?? 0, textEmbd: numbers.at('projection_dim')! };
  return expectedTensors({ name, tensors: tensors(config, facts), sizes: () => ({ ...common, ...own }) }, numbers);
}

/** Every tensor of the towers is written, or known to be of no use: fewer would be a tower that sees something else. */
function countTensors(
  towers: readonly TensorView[],
  matched: readonly MatchedTensor[],
  found: readonly Encoder[],
  file: string,
  note: (text: string) => void,
): void {
  const used = new Set(matched.flatMap(({ views }) => views.map(({ name }) => name)));
  const skipped = new Map<string, string[]>();
  const unexpected: string[] = [];
  for (const { name } of towers) {
    if (used.has(name)) continue;
    const rule = found.flatMap((encoder) => encoder.skipped ?? []).find(({ start }) => coreOf(name).startsWith(start));
    if (rule) skipped.set(rule.why, [...(skipped.get(rule.why) ?? []), name]);
    else unexpected.push(name);
  }
  const what = found.map(({ family }) => family).join(' and ');
  refuse('tensors-unexpected', `The ${what} has no place for`, unexpected, {
    file,
    remedy: 'Leaving them out would change what the model sees.',
  });
  for (const [why, names] of skipped) note(`left out, ${why}: ${names.length} tensors, the first ${names[0]}`);
  const count = towers.filter(({ name }) => used.has(name)).length;
  note(
    `${what}: all ${matched.length} tensors of the mmproj file, made of ${count} of the checkpoint's ${towers.length}`,
  );
}
