// What weight files say of themselves, for people: of architectures that quern does not run, and of files that are no
// models at all (adapters, projectors, importance matrices, vocabularies). Nothing here refuses a file.
import { type Contents, storedBytes } from '@quern/checkpoint';
import type { GgufMetadata, GgufValue } from '@quern/gguf';
import { describeTensors, type TensorsDescription, type TokenizerDescription } from './describe.ts';
import { licenceIn } from './model-card/card-metadata.ts';

/** A number, or one for every layer. */
export type LayerNumber = number | readonly number[];

export interface ContentsDescription extends TensorsDescription {
  /** `general.type` of GGUF (model, adapter, mmproj, imatrix…), or what the files are by their contents. */
  kind: string;
  architecture?: string;
  name?: string;
  license?: string;
  /** Of an adapter or a fine-tune: what it was made from. */
  base?: string;
  /** `general.file_type` as the number that it is. */
  fileType?: number;
  /** The numbers of the network that have one meaning in all architectures, as far as they are given. */
  hyperparameters: Readonly<Record<string, LayerNumber>>;
  tokenizer: TokenizerDescription;
  chatTemplate: boolean;
  /** Bytes of the files. */
  fileBytes: number;
}

/** Our name, the GGUF key after the architecture, the names in config.json. */
const numbers: readonly (readonly [name: string, gguf: string, ...config: string[]])[] = [
  ['contextLength', 'context_length', 'max_position_embeddings', 'n_positions', 'n_ctx'],
  ['blockCount', 'block_count', 'num_hidden_layers', 'n_layer', 'num_layers'],
  ['embeddingLength', 'embedding_length', 'hidden_size', 'n_embd', 'd_model'],
  ['feedForwardLength', 'feed_forward_length', 'intermediate_size', 'n_inner', 'd_ff'],
  ['headCount', 'attention.head_count', 'num_attention_heads', 'n_head', 'num_heads'],
  ['headCountKv', 'attention.head_count_kv', 'num_key_value_heads'],
  ['slidingWindow', 'attention.sliding_window', 'sliding_window'],
  ['expertCount', 'expert_count', 'num_local_experts', 'num_experts', 'n_routed_experts'],
  ['expertUsedCount', 'expert_used_count', 'num_experts_per_tok'],
  ['vocabSize', 'vocab_size', 'vocab_size'],
];

export function describeContents(contents: Contents): ContentsDescription {
  const { metadata, config = {}, files, tensors } = contents;
  const text = (key: string): string | undefined => textOf(metadata.get(key));
  const classes: unknown = config.architectures;
  const architecture =
    text('general.architecture') ??
    stringOf(Array.isArray(classes) ? classes[0] : undefined) ??
    stringOf(config.model_type);
  const fileType = metadata.get('general.file_type')?.value;
  const license =
    contents.license ?? text('general.license') ?? licenceIn(contents.card ?? '') ?? stringOf(config.license);
  const base =
    text('general.base_model.0.repo_url') ??
    text('general.base_model.0.name') ??
    stringOf(config.base_model_name_or_path);
  const name = text('general.name') ?? stringOf(config._name_or_path);
  const tokens = metadata.get('tokenizer.ggml.tokens');
  return {
    kind: kindOf(contents),
    ...(architecture !== undefined && { architecture }),
    ...(name !== undefined && { name }),
    ...(license !== undefined && { license }),
    ...(base !== undefined && { base }),
    ...(typeof fileType === 'number' && { fileType }),
    ...describeTensors(tensors),
    hyperparameters: numbersOf(architecture, metadata, config),
    tokenizer: {
      model: text('tokenizer.ggml.model'),
      pre: text('tokenizer.ggml.pre'),
      vocab: tokens?.type === 'array' ? tokens.value.length : 0,
    },
    chatTemplate: metadata.has('tokenizer.chat_template'),
    fileBytes: files.reduce((sum, { size }) => sum + size, 0),
  };
}

function kindOf({ container, metadata, config, tensors }: Contents): string {
  const said = textOf(metadata.get('general.type'));
  if (container === 'gguf') {
    if (said !== undefined && said !== 'model') return said;
    // Projectors from before `general.type` was written.
    if (textOf(metadata.get('general.architecture')) === 'clip') return 'mmproj';
    if (tensors.size === 0) return metadata.has('tokenizer.ggml.tokens') ? 'vocabulary' : 'metadata only';
    return 'model';
  }
  const isAdapter = config?.peft_type !== undefined || [...tensors.keys()].some((name) => /\.lora_[abAB]\b/.test(name));
  return isAdapter ? 'adapter' : 'model';
}

function numbersOf(
  architecture: string | undefined,
  metadata: GgufMetadata,
  config: Readonly<Record<string, unknown>>,
): Record<string, LayerNumber> {
  // Models of text and images keep those of the text in an object of its own.
  const nested = config.text_config;
  const settings = { ...(typeof nested === 'object' && nested !== null ? nested : {}), ...config } as typeof config;
  const found: Record<string, LayerNumber> = {};
  for (const [name, key, ...names] of numbers) {
    const stored = numberOf(metadata.get(`${architecture}.${key}`));
    const configured = names.map((setting) => settings[setting]).find((value) => typeof value === 'number');
    const value = stored ?? (configured as number | undefined);
    if (value !== undefined) found[name] = value;
  }
  return found;
}

function numberOf(value: GgufValue | undefined): LayerNumber | undefined {
  if (value?.type === 'array') {
    if (value.of === 'array' || value.of === 'string' || value.of === 'bool') return undefined;
    return value.value.map(Number);
  }
  return typeof value?.value === 'number' || typeof value?.value === 'bigint' ? Number(value.value) : undefined;
}

const textOf = (value: GgufValue | undefined): string | undefined => stringOf(value?.value);

const stringOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

/** One row per tensor: name, type, shape, stored bytes. */
export function listTensors(tensors: Contents['tensors']) {
  return Array.from(tensors.values(), (tensor) => ({
    name: tensor.name,
    type: tensor.packed?.format ?? tensor.dtype.name,
    shape: tensor.shape,
    bytes: storedBytes(tensor),
  }));
}
