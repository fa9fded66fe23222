// The lens: a Hugging Face checkpoint seen as a GGUF model, with the metadata keys, tensor names, shapes and order that
// llama.cpp's convert_hf_to_gguf.py would write. Nothing but headers and JSON is read until rows are asked for.
import type { HfCheckpoint, ModelView, TensorView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import type { GgufMetadata } from '@quern/gguf';
import type { ConfigValue, Facts } from '../arch/config-rule.ts';
import { sizesOf } from '../arch/dimensions.ts';
import { type ExpectedTensor, expectedTensors } from '../arch/expected-tensors.ts';
import { type ModelNumbers, modelNumbers, tokenTypesKey } from '../arch/model-numbers.ts';
import { addArchitectureKeys, ownWindow } from './architecture-metadata.ts';
import { blaming } from './blaming.ts';
import { hfArchitecture } from './choose-architecture.ts';
import { checkLayerTypes, checkSupported, configFile, readConfigValues } from './config-reader.ts';
import { inConverterOrder } from './converter-order.ts';
import { type DraftChoice, draftOf, wantedTensors } from './draft.ts';
import { convertedDtype, guessFileType, namedFileType, type PlainFileType } from './dtype-policy.ts';
import { fixedType } from './fixed-type.ts';
import { describingMetadata, samplingMetadata } from './general-metadata.ts';
import { ggufTensor } from './gguf-tensor.ts';
import { listedNumbers } from './listed-numbers.ts';
import { madeTensors } from './made-tensors.ts';
import { checkPlausible } from './plausible-values.ts';
import { matchTensors, withoutTiedHead } from './preflight.ts';
import { checkSections, ropeOfModel } from './rope-parameters.ts';
import { poolingMetadata, sentenceModules } from './sentence-transformers.ts';
import { tensorNames } from './tensor-names.ts';
import { tokenizerMetadata } from './tokenizer-metadata.ts';
import { refuseUnread } from './unread-keys.ts';
import { isTied, textConfigOf } from './wrapper.ts';
import { withoutZeroBiases } from './zero-biases.ts';

export interface LensOptions {
  /** `general.name`; default: as the model card says, else from the folder's name. */
  name?: string;
  /** `general.file_type`; default: that of the weights as stored (`guessFileType`). */
  fileType?: PlainFileType;
  /** What becomes of blocks that predict further tokens (MTP); `keep` when not given. */
  draft?: DraftChoice;
  /** `tokenizer.ggml.pre`, for expressions that nobody has named. */
  preTokenizer?: string;
}

/** A checkpoint as a GGUF model. */
export interface HfModelView extends ModelView {
  /** Type of a tensor in a file of this type: a rule may fix it. */
  readonly dtypeOf: typeof convertedDtype;
  /** Every rule of its record in these sizes, for whoever has other tensors of the checkpoint (adapters). */
  readonly expected: readonly ExpectedTensor[];
}

/**
 * Looks at a checkpoint as a GGUF model. Tensors keep their stored type; `convertedDtype` says what a file would hold.
 * Closing the view closes the checkpoint.
 * @throws QuernError `unknown-architecture`, `config-*`, `unsupported-config`, `unsupported-rope`, `tensors-*`,
 *   `adapter-not-merged`, and those of the tokenizer
 */
export async function hfModelView(stored: HfCheckpoint, options: LensOptions = {}): Promise<HfModelView> {
  const notes: string[] = [...stored.notes];
  const note = (text: string) => notes.push(text);
  const file = configFile(stored);
  const text = blaming(file, () => textConfigOf(stored));
  const { config } = text;
  const architecture = blaming(file, () => hfArchitecture(stored, config));
  blaming(file, () => checkPlausible(text.json));
  const names = tensorNames(stored);
  const draft = blaming(file, () => draftOf(config, architecture, names, options.draft ?? 'keep'));
  const facts: Facts = { draftBlocks: draft.blocks, stores: names.startsWith };
  blaming(file, () => checkSupported(stored, text, architecture));
  const { values, vocabSize } = blaming(file, () => readConfigValues(config, architecture, facts));
  const contextLength = firstNumber(values, 'context_length') ?? vocabSize;
  const rope = blaming(file, () => ropeOfModel(config, architecture, contextLength));
  const window = blaming(file, () => ownWindow(config, architecture, contextLength));
  blaming(file, () => checkLayerTypes(stored, text, architecture));
  const tokenizer = await tokenizerMetadata(stored, architecture, vocabSize, {
    note,
    preTokenizer: options.preTokenizer,
  });

  const keys: GgufMetadata = new Map();
  const numbersOf = () => {
    addArchitectureKeys(keys, architecture, values, rope, 'F32', { unwritten: true });
    const types = tokenizer.get(tokenTypesKey);
    if (types) keys.set(tokenTypesKey, types);
    const vocab = architecture.vocabularyOfTokenizer ? tokensIn(tokenizer) : vocabSize;
    const tensors = new Map([...(architecture.rows?.(config) ?? [])].map(([name, rows]) => [name, { shape: [rows] }]));
    return modelNumbers({ path: file, metadata: keys, tensors }, architecture.name, vocab, vocabSize);
  };
  const numbers = blaming(file, numbersOf);
  checkTensorCount(stored, numbers);
  if (rope) blaming(file, () => checkSections(config, rope, sizesOf(architecture, numbers).ropePairs!));
  const expected = expectedTensors(architecture, numbers);
  const tied = blaming(file, () => isTied(stored, text, architecture.tied));
  const complete = withoutTiedHead(await withoutZeroBiases(stored, architecture, config, note), tied);
  const demands = { config, architecture, tied, wrapped: text.wrapped, ...draft.dropped };
  const found = matchTensors(complete, tensorNames(complete), expected, demands, note);
  refuseUnread(text, architecture, file);
  const wanted = wantedTensors(found, numbers, options.draft ?? 'keep');
  const listed = await listedNumbers(wanted.filter(({ rule }) => rule.listed !== undefined));
  const matched = inConverterOrder(wanted.filter(({ rule }) => rule.listed === undefined));
  const modules = await sentenceModules(stored, architecture);
  const tensors: Map<string, TensorView> = madeTensors(expected, rope, file);
  for (const tensor of modules?.dense ?? []) tensors.set(tensor.name, tensor);
  for (const match of matched) tensors.set(match.gguf, ggufTensor(match));

  const views = matched.map((match) => match.views[0]!);
  const fileType = options.fileType ?? (stored.packing && namedFileType(stored.config)) ?? guessFileType(views);
  if (stored.packing) note(`the weights are packed: ${stored.packing.description}`);
  if (text.parts.length > 0)
    note(`only the text model is converted; left out of config.json: ${text.parts.join(', ')}`);
  const metadata: GgufMetadata = new Map([
    ['general.architecture', { type: 'string', value: architecture.name }],
    ...listed,
    ['general.type', { type: 'string', value: 'model' }],
    ...(await samplingMetadata(stored, note)),
    ...(await describingMetadata(stored, tensors.values(), { name: options.name, note })),
  ]);
  addArchitectureKeys(metadata, architecture, values, rope, fileType);
  if (window !== undefined) {
    metadata.set(`${architecture.name}.attention.sliding_window`, { type: 'uint32', value: window });
  }
  if (modules) for (const [key, value] of poolingMetadata(architecture, modules)) metadata.set(key, value);
  for (const [key] of architecture.tokenizerDefaults ?? []) metadata.set(key, tokenizer.get(key)!);
  metadata.set('general.quantization_version', { type: 'uint32', value: 2 });
  for (const [key, value] of tokenizer) metadata.set(key, value);
  const rules = new Map(matched.map(({ gguf, rule }) => [gguf, rule]));
  const dtypeOf: HfModelView['dtypeOf'] = (name, shape, type) =>
    fixedType(rules.get(name)?.type, tensors.get(name)!, type) ?? convertedDtype(name, shape, type);
  return { path: stored.path, metadata, tensors, notes, dtypeOf, expected, close: () => stored.close() };
}

function firstNumber(values: ReadonlyMap<{ gguf: readonly string[] }, ConfigValue>, key: string): number | undefined {
  for (const [{ gguf }, value] of values) if (gguf.includes(key) && typeof value === 'number') return value;
  return undefined;
}

function tokensIn(tokenizer: GgufMetadata): number {
  const tokens = tokenizer.get('tokenizer.ggml.tokens');
  return tokens?.type === 'array' ? tokens.value.length : 0;
}

/** A few digits of config.json can promise millions of tensors: compare before their names are made. */
function checkTensorCount({ tensors, path }: HfCheckpoint, numbers: ModelNumbers): void {
  const { blocks } = numbers;
  const experts = numbers.at('expert_count') ?? 0;
  // Experts may be stacked: one tensor for all of a block, which is what a promise of many must not cost more than.
  if (Math.max(experts, 1) * blocks <= Math.max(tensors.size, maxPromised)) return;
  throw new QuernError(
    'tensors-missing',
    `config.json promises ${blocks} layers${experts > 0 ? ` of ${experts} experts` : ''}, the checkpoint has ${tensors.size} tensors.`,
    { file: path, remedy: 'Check that config.json belongs to these weights and that all their files are there.' },
  );
}

/** Experts of the largest models: 61 layers of 512. */
const maxPromised = 2 ** 16;
