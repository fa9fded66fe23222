// params.json, as Mistral publishes its models, in the words of transformers' config.json. What it may say is listed here;
// anything else is refused by its name, because it may change the numbers.
// Source: mistral-inference src/mistral_inference/args.py; llama.cpp conversion/{mistral,base}.py `is_mistral_format`.
import { nearest, QuernError } from '@quern/errors';

type Json = Readonly<Record<string, unknown>>;

export interface TranslatedParams {
  /** As transformers would write it. */
  readonly config: Json;
  readonly heads: number;
  readonly kvHeads: number;
  readonly notes: readonly string[];
}

/** Keys whose words alone differ. */
const renamed: Readonly<Record<string, string>> = {
  dim: 'hidden_size',
  n_layers: 'num_hidden_layers',
  hidden_dim: 'intermediate_size',
  n_heads: 'num_attention_heads',
  head_dim: 'head_dim',
  norm_eps: 'rms_norm_eps',
  vocab_size: 'vocab_size',
  sliding_window: 'sliding_window',
};
/** Checked here, so that a refusal names this file and its words. */
const counts = [
  ...['dim', 'n_layers', 'hidden_dim', 'n_heads', 'n_kv_heads', 'head_dim', 'vocab_size', 'sliding_window'],
  ...['max_position_embeddings', 'max_seq_len'],
];
const required = ['dim', 'n_layers', 'hidden_dim', 'n_heads', 'vocab_size'];

/** Read below. */
const others = [
  ...[
    'n_kv_heads',
    'rope_theta',
    'tied_embeddings',
    'max_position_embeddings',
    'max_seq_len',
    'activation',
    'model_type',
  ],
  ...['yarn', 'llama_4_scaling', 'moe', 'quantization', 'vision_encoder'],
];
/** Say nothing of the numbers. */
const harmless = ['dtype', 'torch_dtype', 'param_dtype', 'max_batch_size', 'causal', 'use_cache'];

/** What mistral-common and vLLM take when the file is silent. */
const usualContext = 128_000;

/** @throws QuernError `config-key-unknown`, `config-missing`, `config-bad-value`, `unsupported-config` */
export function translateParams(params: Json, file: string): TranslatedParams {
  refuseUnknown(params, file);
  const missing = required.filter((key) => isAbsent(params[key]));
  if (missing.length > 0)
    throw fault('config-missing', `params.json says no ${missing.map((key) => `"${key}"`).join(', ')}`, file);
  expect(params, 'model_type', ['transformer'], file);
  expect(params, 'activation', ['silu'], file);
  for (const key of counts) integer(params, key, file);
  for (const key of ['rope_theta', 'norm_eps']) positive(params, key, file);
  const heads = integer(params, 'n_heads', file)!;
  const kvHeads = integer(params, 'n_kv_heads', file) ?? heads;
  const notes: string[] = [];
  if (!isAbsent(params.vision_encoder))
    notes.push('only the text model is converted; left out of params.json: vision_encoder');
  const theta = params.rope_theta ?? (isAbsent(params.sliding_window) ? 1e6 : 1e4);
  const config: Json = {
    ...Object.fromEntries(
      Object.entries(renamed).flatMap(([own, theirs]) => (own in params ? [[theirs, params[own]]] : [])),
    ),
    num_key_value_heads: kvHeads,
    rms_norm_eps: params.norm_eps ?? 1e-5,
    hidden_act: 'silu',
    tie_word_embeddings: params.tied_embeddings === true,
    max_position_embeddings: params.max_position_embeddings ?? params.max_seq_len ?? usualContext,
    ...quantizationOf(params, file),
    ...networkOf(params, theta, file),
  };
  return { config, heads, kvHeads, notes };
}

/** The class, and what of the settings depends on it. */
function networkOf(params: Json, theta: unknown, file: string): Json {
  const moe = object(params, 'moe', file);
  const yarn = object(params, 'yarn', file);
  // transformers has yarn and queries that grow with their position in one class, Ministral 3's.
  const growth = object(params, 'llama_4_scaling', file);
  if (growth && !yarn)
    throw fault(
      'unsupported-config',
      'params.json has "llama_4_scaling" and no "yarn": no such network is known',
      file,
    );
  if (yarn) {
    if (moe) throw fault('unsupported-config', 'params.json has "moe" beside "yarn": no such network is known', file);
    return {
      architectures: ['Ministral3ForCausalLM'],
      model_type: 'ministral3',
      rope_parameters: yarnOf(yarn, growth, theta, file),
    };
  }
  if (!moe) return { architectures: ['MistralForCausalLM'], model_type: 'mistral', rope_theta: theta };
  const { num_experts: experts, num_experts_per_tok: used, ...rest } = moe;
  for (const key of ['num_experts', 'num_experts_per_tok']) integer(moe, key, file, 'moe.', true);
  refuseKeys(rest, 'moe.', file);
  return {
    architectures: ['MixtralForCausalLM'],
    model_type: 'mixtral',
    rope_theta: theta,
    num_local_experts: experts,
    num_experts_per_tok: used,
  };
}

function yarnOf(yarn: Json, growth: Json | undefined, theta: unknown, file: string): Json {
  const { original_max_position_embeddings: original, factor, alpha, beta, apply_scale: scaled = true, ...rest } = yarn;
  refuseKeys(rest, 'yarn.', file);
  integer(yarn, 'original_max_position_embeddings', file, 'yarn.', true);
  positive(yarn, 'factor', file, 'yarn.', true);
  for (const key of ['alpha', 'beta']) positive(yarn, key, file, 'yarn.');
  if (typeof scaled !== 'boolean')
    throw fault(
      'config-bad-value',
      `params.json: "yarn.apply_scale" is ${JSON.stringify(scaled)}, not true or false`,
      file,
    );
  const { beta: slope, original_max_position_embeddings: begin = original, ...more } = growth ?? {};
  refuseKeys(more, 'llama_4_scaling.', file);
  if (begin !== original) {
    throw fault(
      'unsupported-config',
      `params.json: queries grow from position ${JSON.stringify(begin)} on ("llama_4_scaling"), yarn from ${JSON.stringify(original)} on, and GGUF has one number for both`,
      file,
    );
  }
  return {
    rope_type: 'yarn',
    rope_theta: theta,
    factor,
    original_max_position_embeddings: original,
    beta_fast: beta,
    beta_slow: alpha,
    // Without the scale of yarn, cos and sin stay as they are: the two factors cancel.
    ...(scaled ? { mscale_all_dim: 0 } : { mscale: 1, mscale_all_dim: 1 }),
    ...(slope !== undefined && { llama_4_scaling_beta: slope }),
  };
}

/** FP8 with one scale a tensor is all that Mistral publishes. */
function quantizationOf(params: Json, file: string): Json {
  const quantization = object(params, 'quantization', file);
  if (!quantization || Object.keys(quantization).length === 0) return {};
  const { qformat_weight: format, qscheme_act: activations, ...rest } = quantization;
  refuseKeys(rest, 'quantization.', file);
  if (format !== 'fp8_e4m3') {
    throw fault(
      'unsupported-config',
      `params.json: weights are stored as "quantization.qformat_weight": ${JSON.stringify(format)}; read is "fp8_e4m3"`,
      file,
    );
  }
  const scheme = activations === 'NO_SCALES' ? 'dynamic' : 'static';
  return { quantization_config: { quant_method: 'fp8', activation_scheme: scheme, weight_block_size: null } };
}

/** Of a feature that is switched off: null, false, 0 or nothing. */
const isOff = (value: unknown): boolean =>
  isAbsent(value) || value === false || value === 0 || value === '' || JSON.stringify(value) === '{}';

const isAbsent = (value: unknown): value is undefined | null => value === undefined || value === null;

function refuseUnknown(params: Json, file: string): void {
  const known = [...Object.keys(renamed), ...others];
  const unknown = Object.entries(params).filter(([key]) => !known.includes(key) && !harmless.includes(key));
  refuseKeys(Object.fromEntries(unknown), '', file, known);
}

function refuseKeys(rest: Json, prefix: string, file: string, known: readonly string[] = []): void {
  const offenders = Object.entries(rest).filter(([, value]) => !isOff(value));
  if (offenders.length === 0) return;
  const told = offenders.slice(0, 10).map(([key, value]) => {
    const [near] = nearest(key, known);
    return `"${prefix}${key}": ${JSON.stringify(value)?.slice(0, 60)}${near === undefined ? '' : ` (known: "${near}")`}`;
  });
  throw fault(
    'config-key-unknown',
    `params.json says what may change the numbers and is not understood: ${told.join('; ')}`,
    file,
  );
}

function integer(params: Json, key: string, file: string, prefix = '', needed = false): number | undefined {
  const value = params[key];
  if (isAbsent(value) && !needed) return undefined;
  if (Number.isSafeInteger(value) && (value as number) > 0) return value as number;
  throw fault(
    'config-bad-value',
    `params.json: "${prefix}${key}" is ${JSON.stringify(value) ?? 'absent'}, a positive integer is needed`,
    file,
  );
}

function positive(params: Json, key: string, file: string, prefix = '', needed = false): void {
  const value = params[key];
  if (isAbsent(value) && !needed) return;
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return;
  const found = JSON.stringify(value)?.slice(0, 60) ?? 'absent';
  throw fault('config-bad-value', `params.json: "${prefix}${key}" is ${found}, a number above 0 is needed`, file);
}

function object(params: Json, key: string, file: string): Json | undefined {
  const value = params[key];
  if (isAbsent(value) || value === false) return undefined;
  if (typeof value === 'object' && !Array.isArray(value)) return value as Json;
  throw fault(
    'config-bad-value',
    `params.json: "${key}" is ${JSON.stringify(value)?.slice(0, 60)}, an object is needed`,
    file,
  );
}

function expect(params: Json, key: string, values: readonly string[], file: string): void {
  if (isAbsent(params[key]) || values.includes(params[key] as string)) return;
  throw fault(
    'unsupported-config',
    `params.json: "${key}" is ${JSON.stringify(params[key])}; read is "${values.join('", "')}"`,
    file,
  );
}

const remedies: Readonly<Record<string, string>> = {
  'config-key-unknown': 'If it means nothing for the numbers, delete the key from params.json.',
  'unsupported-config': 'Look for the same model as transformers has it (config.json and model.safetensors).',
};

const fault = (code: string, what: string, file: string): QuernError =>
  new QuernError(code, `${what}.`, { file, remedy: remedies[code] ?? 'Fetch params.json again.' });
