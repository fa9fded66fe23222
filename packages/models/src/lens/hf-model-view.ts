// The lens: a Hugging Face checkpoint seen as a GGUF model, with the metadata keys, tensor names, shapes and order that
// llama.cpp's convert_hf_to_gguf.py would write. Nothing but headers and JSON is read until rows are asked for.
import { dtypeByName } from '@quern/blocks';
import { checkRowRange, type HfCheckpoint, type ModelView, type TensorView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import type { GgufMetadata } from '@quern/gguf';
import type { Architecture } from '../arch/architecture.ts';
import { type ExpertSizes, expectedTensors } from '../arch/expected-tensors.ts';
import { architectureByHfName } from '../arch/index.ts';
import { type ConfigValues, checkSupported, configFile, configValue, readConfigValues } from './config-reader.ts';
import { guessFileType, namedFileType, type PlainFileType, plainFileTypes } from './dtype-policy.ts';
import { separateExperts } from './fused-experts.ts';
import { modelName, samplingMetadata, sizeLabel } from './general-metadata.ts';
import { inEveryForm } from './packed-forms.ts';
import { permutedTensor } from './permuted-tensor.ts';
import { type MatchedTensor, matchTensors } from './preflight.ts';
import { llama3RopeFactors } from './rope-freqs.ts';
import { type RopeParameters, ropeMetadata, ropeParameters } from './rope-parameters.ts';
import { stackedTensor } from './stacked-tensor.ts';
import { tokenizerMetadata } from './tokenizer-metadata.ts';
import { withoutZeroBiases } from './zero-biases.ts';

export interface LensOptions {
  /** `general.name`; default: from the folder's name. */
  name?: string;
  /** `general.file_type`; default: that of the weights as stored (`guessFileType`). */
  fileType?: PlainFileType;
}

/**
 * Looks at a checkpoint as a GGUF model. Tensors keep their stored type; `convertedDtype` says what a file would hold.
 * Closing the view closes the checkpoint.
 * @throws QuernError `unknown-architecture`, `config-*`, `unsupported-config`, `unsupported-rope`, `tensors-*`, and those
 *   of the tokenizer
 */
export async function hfModelView(stored: HfCheckpoint, options: LensOptions = {}): Promise<ModelView> {
  const notes: string[] = [...stored.notes];
  const note = (text: string) => notes.push(text);
  const architecture = hfArchitecture(stored);
  checkSupported(stored, architecture);
  const values = readConfigValues(stored, architecture);
  const blocks = numberOf(values, 'num_hidden_layers');
  const checkpoint = separateExperts(stored, architecture, values.get('num_experts') ?? 0, blocks);
  const rope = ropeParameters(checkpoint, architecture, numberOf(values, 'max_position_embeddings'));
  const headDim = values.get('head_dim') ?? numberOf(values, 'hidden_size') / numberOf(values, 'num_attention_heads');
  const tokenizer = await tokenizerMetadata(checkpoint, architecture, numberOf(values, 'vocab_size'));

  const sizes = sizesOf(values, architecture, headDim);
  checkExpertCount(checkpoint, sizes.experts?.count ?? 0, blocks);
  const expected = expectedTensors(architecture, sizes, blocks);
  const complete = await withoutZeroBiases(checkpoint, architecture, note);
  const matched = inConverterOrder(matchTensors(complete, architecture, expected, note));
  const tensors = new Map<string, TensorView>();
  if (rope.llama3) {
    const factors = llama3RopeFactors(rope.llama3, rope.theta, headDim);
    tensors.set('rope_freqs.weight', computedVector('rope_freqs.weight', factors, configFile(checkpoint)));
  }
  for (const match of matched) tensors.set(match.gguf, lensTensor(match, values));

  const views = matched.map((match) => match.views[0]!);
  const fileType = options.fileType ?? (checkpoint.packing && namedFileType(checkpoint.config)) ?? guessFileType(views);
  if (checkpoint.packing) note(`the weights are packed: ${checkpoint.packing.description}`);
  const metadata: GgufMetadata = new Map([
    ['general.architecture', { type: 'string', value: architecture.name }],
    ['general.type', { type: 'string', value: 'model' }],
    ...(await samplingMetadata(checkpoint, note)),
    ['general.name', { type: 'string', value: options.name ?? modelName(checkpoint.path) }],
    ['general.size_label', { type: 'string', value: sizeLabel(tensors.values()) }],
  ]);
  addArchitectureKeys(metadata, architecture, checkpoint.config, rope, fileType);
  addSlidingWindow(metadata, checkpoint, architecture, values);
  metadata.set('general.quantization_version', { type: 'uint32', value: 2 });
  for (const [key, value] of tokenizer) metadata.set(key, value);
  return { path: checkpoint.path, metadata, tensors, notes, close: () => checkpoint.close() };
}

function hfArchitecture(checkpoint: HfCheckpoint): Architecture {
  const file = configFile(checkpoint);
  const named = checkpoint.config.architectures;
  const first: unknown = Array.isArray(named) ? named[0] : undefined;
  if (typeof first !== 'string') {
    throw new QuernError('config-missing', 'config.json names no model class in "architectures".', {
      file,
      remedy: 'Add it, for example "architectures": ["LlamaForCausalLM"].',
    });
  }
  return architectureByHfName(first, file);
}

function numberOf(values: ConfigValues, key: string): number {
  const value = values.get(key);
  if (value === undefined) throw new QuernError('config-missing', `config.json lacks "${key}".`);
  return value;
}

function sizesOf(values: ConfigValues, architecture: Architecture, headDim: number) {
  return {
    experts: architecture.experts ? expertSizes(values) : undefined,
    vocabSize: numberOf(values, 'vocab_size'),
    embeddingLength: numberOf(values, 'hidden_size'),
    feedForwardLength: numberOf(values, 'intermediate_size'),
    headCount: numberOf(values, 'num_attention_heads'),
    headCountKv: numberOf(values, 'num_key_value_heads'),
    keyLength: headDim,
    valueLength: headDim,
    ropeDimensionCount: headDim,
  };
}

function expertSizes(values: ConfigValues): ExpertSizes {
  return {
    count: numberOf(values, 'num_experts'),
    feedForwardLength: values.get('moe_intermediate_size') ?? numberOf(values, 'intermediate_size'),
    sharedFeedForwardLength: values.get('shared_expert_intermediate_size') ?? 0,
  };
}

/** A few digits of config.json can promise millions of tensors: compare before their names are made. */
function checkExpertCount({ tensors, path }: HfCheckpoint, experts: number, blocks: number): void {
  if (experts * blocks <= tensors.size) return;
  throw new QuernError(
    'tensors-missing',
    `config.json promises ${blocks} layers of ${experts} experts, the checkpoint has ${tensors.size} tensors.`,
    { file: path, remedy: 'Fetch the checkpoint again, or check that config.json belongs to these weights.' },
  );
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
const compareViews = (a: TensorView, b: TensorView) => compare(a.file, b.file) || compare(a.name, b.name);

/** One tensor of GGUF, one per expert in the checkpoint. */
const isStack = ({ rule }: MatchedTensor) => rule.hf?.includes('{j}') ?? false;

/**
 * The converter walks the files by name and each file's tensors by name. It writes the stacks of a block, ordered by the
 * names of their parts, when it has seen the last expert of the block.
 */
function inConverterOrder(matched: readonly MatchedTensor[]): MatchedTensor[] {
  const lastOf = (views: readonly TensorView[]) => views.reduce((a, b) => (compareViews(a, b) < 0 ? b : a));
  const lastExperts = new Map<number | undefined, TensorView>();
  for (const { block, views } of matched.filter(isStack))
    lastExperts.set(block, lastOf([...views, ...(lastExperts.has(block) ? [lastExperts.get(block)!] : [])]));
  const place = (match: MatchedTensor) => (isStack(match) ? lastExperts.get(match.block)! : match.views[0]!);
  return matched
    .map((match) => ({ match, at: place(match) }))
    .sort((a, b) => compareViews(a.at, b.at) || compare(a.match.rule.hf!, b.match.rule.hf!))
    .map(({ match }) => match);
}

function lensTensor(match: MatchedTensor, values: ConfigValues): TensorView {
  const { rule, gguf, views } = match;
  if (isStack(match)) return inEveryForm(views, (experts) => stackedTensor(gguf, experts));
  const { permute } = rule;
  if (!permute) return inEveryForm(views, ([view]) => ({ ...view!, name: gguf }));
  const heads = numberOf(values, permute === 'q' ? 'num_attention_heads' : 'num_key_value_heads');
  return inEveryForm(views, ([view]) => permutedTensor({ ...view!, name: gguf }, heads));
}

/** A float32 vector that no file holds; `file` is what it follows from. */
function computedVector(name: string, values: Float32Array, file: string): TensorView {
  const dtype = dtypeByName('F32');
  if (!dtype) throw new QuernError('unknown-dtype', 'There is no type F32.');
  // GGUF is little-endian, whatever the machine is.
  const bytes = new Uint8Array(values.length * 4);
  const data = new DataView(bytes.buffer);
  for (const [i, value] of values.entries()) data.setFloat32(4 * i, value, true);
  const shape = [values.length];
  const place = { name, rows: 1, rowBytes: bytes.length, file, offset: 0 };
  return {
    ...place,
    dtype,
    shape,
    cols: values.length,
    async readRows(firstRow, rowCount, into) {
      checkRowRange(place, firstRow, rowCount, into);
      into.set(bytes.subarray(0, into.length));
    },
  };
}

function addArchitectureKeys(
  metadata: GgufMetadata,
  architecture: Architecture,
  config: HfCheckpoint['config'],
  rope: RopeParameters,
  fileType: PlainFileType,
): void {
  for (const rule of architecture.config) {
    if (rule === 'fileType') {
      metadata.set('general.file_type', { type: 'uint32', value: plainFileTypes[fileType] });
    } else if (rule === 'rope') {
      for (const [key, value] of ropeMetadata(rope)) metadata.set(`${architecture.name}.${key}`, value);
    } else {
      const value = configValue(rule, config);
      if (value === undefined) continue;
      const stored = rule.type === 'float32' ? Math.fround(value) : value;
      for (const key of rule.gguf) metadata.set(`${architecture.name}.${key}`, { type: rule.type, value: stored });
    }
  }
}

/**
 * The converter drops Mistral's window, and llama.cpp ignores the key for `llama`: both attend to everything, which
 * differs from the model beyond the window. quern writes the window down and keeps to it.
 */
function addSlidingWindow(
  metadata: GgufMetadata,
  { config, path }: HfCheckpoint,
  architecture: Architecture,
  values: ConfigValues,
): void {
  const window = config.sliding_window;
  if (!architecture.slidingWindow || window === undefined || window === null) return;
  if (typeof window !== 'number' || !Number.isInteger(window) || window <= 0) {
    throw new QuernError('config-bad-value', `config.json: "sliding_window" is ${JSON.stringify(window)}.`, {
      file: configFile({ path }),
    });
  }
  if (window >= numberOf(values, 'max_position_embeddings')) return;
  metadata.set(`${architecture.name}.attention.sliding_window`, { type: 'uint32', value: window });
}
