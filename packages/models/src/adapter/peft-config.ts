// adapter_config.json of PEFT (peft/tuners/lora/config.py): how strong each pair is, and whether anything is said that a pair of
// matrices cannot do.
import { QuernError } from '@quern/errors';

type Config = Readonly<Record<string, unknown>>;

export interface PeftScales {
  /** Undefined where the settings leave it to the tensors. */
  rankOf(module: string): number | undefined;
  /** What the product of a pair of this rank is multiplied by. */
  factorOf(module: string, rank: number): number;
  /** `lora_alpha` */
  readonly alpha: number;
}

/** Settings under which the result is another than W + factor · B · A. `asks`: values that mean it. */
const refused: readonly (readonly [key: string, asks: (value: unknown) => boolean, what: string])[] = [
  ['use_dora', isOn, 'magnitudes of its own for each column (DoRA)'],
  ['bias', (value) => value !== undefined && value !== null && value !== 'none', 'biases'],
  ['lora_bias', isOn, 'biases'],
  ['modules_to_save', isOn, 'whole modules in place of those of the model'],
  ['trainable_token_indices', isOn, 'rows of the embedding'],
  ['target_parameters', isOn, 'parameters of modules, such as stacks of experts'],
  ['layer_replication', isOn, 'layers that are there twice'],
  ['alora_invocation_tokens', isOn, 'an effect from certain tokens on (aLoRA)'],
  ['use_qalora', isOn, 'groups of inputs (QALoRA)'],
  ['use_bdlora', isOn, 'block-diagonal matrices (BD-LoRA)'],
  ['kasa_config', isOn, 'singular values (KaSA)'],
  ['arrow_config', isOn, 'a router between adapters (Arrow)'],
  ['velora_config', isOn, 'projections of VeLoRA'],
  ['monteclora_config', isOn, 'samples of matrices (MonteCLoRA)'],
  ['use_mora', isOn, 'square matrices (MoRA)'],
];

/** These change the weights of the model too when they begin: what is left of it is not the model. */
const changesBase = /^(pissa|olora|corda|loftq|lora_ga)/;

const mostAlpha = 1e6;

/**
 * @param file for messages
 * @throws QuernError `adapter-unsupported`, `adapter-bad-config`, `adapter-bad-scale`
 */
export function readPeftConfig(config: Config, file: string): PeftScales {
  const kind = config.peft_type;
  if (kind !== 'LORA')
    throw unsupported(file, `The adapter is of the kind ${JSON.stringify(kind ?? null)}; LORA alone is applied.`);
  for (const [key, asks, what] of refused)
    if (asks(config[key])) throw unsupported(file, `"${key}" asks for ${what}, which a pair of matrices cannot do.`);
  const { init_lora_weights: init, use_rslora: rooted = false } = config;
  if (typeof init === 'string' && changesBase.test(init))
    throw unsupported(
      file,
      `"init_lora_weights" is ${JSON.stringify(init)}: it has changed the weights of the model too.`,
    );
  const rank = numberIn(config.r ?? 8, 'r', file);
  const alpha = numberIn(config.lora_alpha ?? 8, 'lora_alpha', file);
  const ranks = patternsIn(config, 'rank_pattern', file);
  const alphas = patternsIn(config, 'alpha_pattern', file);
  return {
    alpha,
    rankOf: (module) => ranks(module) ?? rank,
    factorOf: (module, of) => (alphas(module) ?? alpha) / (isOn(rooted) ? Math.sqrt(of) : of),
  };
}

/** Neither false nor empty. */
function isOn(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === 0 || value === '') return false;
  return Array.isArray(value) ? value.length > 0 : typeof value !== 'object' || Object.keys(value).length > 0;
}

function numberIn(value: unknown, key: string, file: string): number {
  if (typeof value === 'number' && Number.isFinite(value) && value !== 0 && Math.abs(value) <= mostAlpha) return value;
  throw new QuernError(
    'adapter-bad-scale',
    `"${key}" is ${JSON.stringify(value)}: a number other than 0 was expected.`,
    {
      file,
    },
  );
}

const mostPatterns = 4096;
const longestPattern = 256;

/** Numbers for modules by the end of their names, which are regular expressions; the first that fits counts. */
function patternsIn(config: Config, key: string, file: string): (module: string) => number | undefined {
  const given = config[key] ?? {};
  const entries = typeof given === 'object' && !Array.isArray(given) ? Object.entries(given) : undefined;
  if (!entries || entries.length > mostPatterns)
    throw new QuernError('adapter-bad-config', `"${key}" is no table of numbers by module.`, { file });
  const patterns = entries.map(([pattern, value]) => ({
    fits: expressionOf(pattern, key, file),
    value: numberIn(value, `${key}.${pattern}`, file),
  }));
  return (module) => patterns.find(({ fits }) => fits.test(module))?.value;
}

/** Repeated groups could take for ever, and nobody needs them for a name. */
function expressionOf(pattern: string, key: string, file: string): RegExp {
  try {
    if (pattern.length <= longestPattern && !/\)[*+?{]|[*+?}][*+?{]/.test(pattern))
      return new RegExp(`^(?:.*\\.)?(?:${pattern})$`);
  } catch {}
  throw new QuernError(
    'adapter-bad-config',
    `"${key}" has a pattern that is not understood: ${JSON.stringify(pattern)}.`,
    {
      file,
      remedy: 'Write the names of the modules out.',
    },
  );
}

const unsupported = (file: string, message: string): QuernError =>
  new QuernError('adapter-unsupported', message, {
    file,
    remedy: 'Merge it with PEFT (merge_and_unload, save_pretrained), and give the merged model.',
  });
