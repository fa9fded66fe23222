// The request fields that say how tokens are chosen: OpenAI's, and llama-server's for the stages that OpenAI does not have.
// Defaults are OpenAI's (temperature 1, top_p 1); every other stage is off unless asked for.
import { setImmediate } from 'node:timers/promises';
import { type RngName, type SamplingOptions, samplerNames, samplersOfLetters } from '@quern/engine';
import { type OverlappingToken, overlappingTokens, type Tokenizer } from '@quern/tokenizer';
import { z } from 'zod';
import { ApiError } from '../api-error.ts';
import { isObject, isTokenId } from '../large-shapes.ts';

const openAiPenalty = z.number().min(-2).max(2).nullish();
const share = z.number().min(0).max(1).nullish();
type Bias = number | false;
const isBias = (value: unknown): boolean => value === false || (typeof value === 'number' && Math.abs(value) <= 100);
const isBiasedText = (key: unknown): boolean => typeof key === 'string' && key.length > 0 && key.length <= 256;
const isId = (key: string): boolean => /^\d+$/.test(key);
/** Each becomes tokens; ids may name a whole vocabulary. */
const maxBiasedTexts = 256;

/** In one pass over what may be a whole vocabulary. */
function isBiasField(given: unknown): boolean {
  let texts = 0;
  const isText = (key: unknown): boolean => isBiasedText(key) && ++texts <= maxBiasedTexts;
  if (Array.isArray(given))
    return given.every((row) => {
      const isPair = Array.isArray(row) && row.length === 2 && isBias(row[1]);
      return isPair && (isTokenId(row[0]) || isText(row[0]));
    });
  return isObject(given) && Object.keys(given).every((key) => (isId(key) || isText(key)) && isBias(given[key]));
}

const maxSamplers = 32;
/** llama.cpp cuts longer ones; a cut one would break at other places than asked for. */
const sequenceBreaker = z.string().min(1).max(40);

export const samplingFields = {
  seed: z.int().nullish(),
  temperature: z.number().min(0).max(100).nullish(),
  dynatemp_range: z.number().min(0).max(100).nullish(),
  dynatemp_exponent: z.number().min(0).max(100).nullish(),
  top_p: share,
  top_k: z.int().min(-1).nullish(),
  min_p: share,
  typical_p: share,
  top_n_sigma: z.number().min(-1).max(100).nullish(),
  xtc_probability: share,
  xtc_threshold: share,
  min_keep: z.int().min(0).nullish(),
  mirostat: z.int().min(0).max(2).nullish(),
  mirostat_tau: z.number().min(0).max(100).nullish(),
  mirostat_eta: z.number().min(0).max(100).nullish(),
  adaptive_target: z.number().min(-1).max(1).nullish(),
  adaptive_decay: z.number().min(0).max(0.99).nullish(),
  frequency_penalty: openAiPenalty,
  presence_penalty: openAiPenalty,
  repetition_penalty: z.number().gt(0).max(100).nullish(),
  repeat_penalty: z.number().gt(0).max(100).nullish(),
  repeat_last_n: z.int().min(-1).nullish(),
  dry_multiplier: z.number().min(0).max(100).nullish(),
  dry_base: z.number().min(0).max(100).nullish(),
  dry_allowed_length: z.int().min(0).nullish(),
  dry_penalty_last_n: z.int().min(-1).nullish(),
  dry_sequence_breakers: z.array(sequenceBreaker).max(64).nullish(),
  samplers: z
    .union(
      // None may be named twice.
      [z.array(z.enum(samplerNames)).max(maxSamplers), z.string().max(maxSamplers)],
      `expected a list of at most ${maxSamplers} names (${samplerNames.join(', ')}) or a text of their letters`,
    )
    .nullish(),
  ignore_eos: z.boolean().nullish(),
  /** llama-server's forms: a key may be a text, whose tokens all get the bias; `false` forbids. */
  logit_bias: z
    .custom<Record<string, Bias> | [number | string, Bias][]>(
      isBiasField,
      'expected {"<token id or text>": bias} or [[<token id or text>, bias], …] with a bias from -100 to 100, or false, ' +
        `and at most ${maxBiasedTexts} texts`,
    )
    .nullish(),
};

const samplingShape = z.looseObject(samplingFields);
export type SamplingRequest = z.infer<typeof samplingShape>;

/** Those of requests that are being answered: they are asked for several times, and may name a whole vocabulary. */
const knownBiases = new WeakMap<object, ReadonlyMap<number, number>>();

/** By token; `false` forbids it. */
export function logitBiasOf({ logit_bias: bias }: SamplingRequest, tokenizer: Tokenizer): ReadonlyMap<number, number> {
  if (!bias) return new Map();
  const known = knownBiases.get(bias) ?? readBias(bias, tokenizer);
  knownBiases.set(bias, known);
  return known;
}

/** In one pass: a whole vocabulary may be named. */
function readBias(bias: NonNullable<SamplingRequest['logit_bias']>, tokenizer: Tokenizer): Map<number, number> {
  const read = new Map<number, number>();
  const add = (key: number | string, value: Bias): void => {
    const amount = value === false ? Number.NEGATIVE_INFINITY : value;
    if (typeof key === 'number') read.set(key, amount);
    else for (const id of tokenizer.encode(key)) read.set(id, amount);
  };
  if (Array.isArray(bias)) for (const [key, value] of bias) add(key, value);
  else for (const key of Object.keys(bias)) add(isId(key) ? Number(key) : key, bias[key]!);
  return read;
}

/**
 * What a request asks of the sampler.
 * @throws QuernError `sampling-invalid` for letters without a sampler
 */
export function samplingOptions(request: SamplingRequest, tokenizer: Tokenizer, rng: RngName): SamplingOptions {
  const { seed, repeat_last_n: lastN } = request;
  const logitBias = logitBiasOf(request, tokenizer);
  return {
    ...given({
      temperature: request.temperature,
      dynamicTemperatureRange: request.dynatemp_range,
      dynamicTemperatureExponent: request.dynatemp_exponent,
      topP: request.top_p,
      topK: request.top_k && Math.max(0, request.top_k),
      minP: request.min_p,
      typicalP: request.typical_p,
      topNSigma: request.top_n_sigma,
      xtcProbability: request.xtc_probability,
      xtcThreshold: request.xtc_threshold,
      minKeep: request.min_keep,
      mirostat: request.mirostat,
      mirostatTau: request.mirostat_tau,
      mirostatEta: request.mirostat_eta,
      adaptiveTarget: request.adaptive_target,
      adaptiveDecay: request.adaptive_decay,
      frequencyPenalty: request.frequency_penalty,
      presencePenalty: request.presence_penalty,
      repetitionPenalty: request.repetition_penalty ?? request.repeat_penalty,
      penaltyLastN: lastN,
      dryMultiplier: request.dry_multiplier,
      dryBase: request.dry_base,
      dryAllowedLength: request.dry_allowed_length,
      dryPenaltyLastN: request.dry_penalty_last_n,
      // OpenAI's seeds are signed; the engine's are not. 32 bits keep every one apart.
      seed: seed && seed < 0 ? seed >>> 0 : seed,
    }),
    ...(request.samplers && {
      samplers: typeof request.samplers === 'string' ? samplersNamed(request.samplers) : request.samplers,
    }),
    ...(request.dry_multiplier && {
      dryBreakers: breakersOf(tokenizer, request.dry_sequence_breakers ?? usualBreakers),
    }),
    logitBias: request.ignore_eos ? withoutEnds(logitBias, tokenizer) : logitBias,
    rng,
  };
}

/** @throws ApiError 400 with the field */
function samplersNamed(letters: string): ReturnType<typeof samplersOfLetters> {
  try {
    return samplersOfLetters(letters);
  } catch (error) {
    throw new ApiError(400, 'invalid_value', (error as Error).message, { param: 'samplers' });
  }
}

function withoutEnds(bias: ReadonlyMap<number, number>, { endOfGeneration }: Tokenizer): ReadonlyMap<number, number> {
  const all = new Map(bias);
  for (const id of endOfGeneration) all.set(id, Number.NEGATIVE_INFINITY);
  return all;
}

/** Texts that end a repetition, as llama.cpp has them. */
const usualBreakers = ['\n', ':', '"', '*'];

/** Each breaker's tokens are looked for in the whole vocabulary: once, unless clients send ever new ones. */
const mostKept = 256;
const known = new WeakMap<Tokenizer, Map<string, OverlappingToken[]>>();

/** Looks for those of a request, one by one: others are answered in between. */
export async function findBreakers(request: SamplingRequest, tokenizer: Tokenizer): Promise<void> {
  if (!request.dry_multiplier) return;
  for (const text of request.dry_sequence_breakers ?? usualBreakers)
    if (!known.get(tokenizer)?.has(text)) {
      find(tokenizer, text);
      await setImmediate();
    }
}

function find(tokenizer: Tokenizer, text: string): OverlappingToken[] {
  const found = known.get(tokenizer) ?? new Map<string, OverlappingToken[]>();
  known.set(tokenizer, found);
  const before = found.get(text);
  if (before) return before;
  if (found.size >= mostKept) found.clear();
  const overlaps = overlappingTokens(tokenizer, text);
  found.set(text, overlaps);
  return overlaps;
}

/** A token that holds several breakers is named once. */
function breakersOf(tokenizer: Tokenizer, texts: readonly string[]): OverlappingToken[] {
  const whole = new Set<number>();
  return texts
    .flatMap((text) => find(tokenizer, text))
    .filter(({ head, tail }) => tail.length > 0 || whole.size < whole.add(head).size);
}

const given = <T extends object>(options: T): { [Key in keyof T]?: NonNullable<T[Key]> } =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined && value !== null)) as never;
