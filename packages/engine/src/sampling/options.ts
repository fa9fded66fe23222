// What a request may ask of the sampler, with every range checked before a token is computed.
import { QuernError } from '@quern/errors';
import type { DryBreaker } from './stages/dry.ts';
import { type StageName, stageNames } from './stages/index.ts';
import { type RngName, rngNames } from './uniform.ts';

export interface SamplingOptions {
  /** The stages, in their order; what the others say is not looked at. Default: all, in llama.cpp's order. */
  readonly samplers?: readonly StageName[];
  /** 0 = greedy (the most likely token, the lowest id on a tie). Default 1. */
  readonly temperature?: number;
  /** The temperature moves so far up and down with the entropy; 0 = fixed. Default 0. */
  readonly dynamicTemperatureRange?: number;
  /** Exponent of the normalized entropy. Default 1. */
  readonly dynamicTemperatureExponent?: number;
  /** Keep the k most likely tokens; 0 = all. Default 0. */
  readonly topK?: number;
  /** Keep the most likely tokens until their probabilities sum to at least p; 1 = all. Default 1. */
  readonly topP?: number;
  /** Keep tokens at least this fraction as likely as the most likely one; 0 = all. Default 0. */
  readonly minP?: number;
  /** Keep the tokens nearest to the entropy until their probabilities pass p; 1 = all. Default 1. */
  readonly typicalP?: number;
  /** Keep tokens within n standard deviations of the highest logit; 0 = all. Default 0. */
  readonly topNSigma?: number;
  /** How often XTC takes the top choices away; 0 = never. Default 0. */
  readonly xtcProbability?: number;
  /** What probability makes a top choice; above 0.5 = none. Default 0.1. */
  readonly xtcThreshold?: number;
  /** top-p, min-p, typical and XTC leave at least so many tokens. Default 0. */
  readonly minKeep?: number;
  /** 1 or 2: this version of Mirostat takes the place of all stages but the temperature. Default 0. */
  readonly mirostat?: number;
  /** Surprise that Mirostat aims at, in bits. Default 5. */
  readonly mirostatTau?: number;
  /** How fast it learns. Default 0.1. */
  readonly mirostatEta?: number;
  /** Draws tokens of about this probability; negative = off. Default -1. */
  readonly adaptiveTarget?: number;
  /** How much of the past it remembers. Default 0.9. */
  readonly adaptiveDecay?: number;
  /** Any non-negative safe integer, with llama.cpp's numbers below 2³² - 1. Default: random, reported at the end. */
  readonly seed?: number;
  /** Whose random numbers. Default `quern`. */
  readonly rng?: RngName;
  /** Divides positive and multiplies negative logits of tokens in prompt or reply; 1 = off. Default 1. */
  readonly repetitionPenalty?: number;
  /** Subtracted once from the logit of tokens already generated. Default 0. */
  readonly presencePenalty?: number;
  /** Subtracted from the logit of a token as often as it was generated. Default 0. */
  readonly frequencyPenalty?: number;
  /** All three penalties look at the last so many tokens of prompt and reply; -1 = all. Default: as said for each. */
  readonly penaltyLastN?: number;
  /** What DRY subtracts at least; 0 = off. Default 0. */
  readonly dryMultiplier?: number;
  /** Growth with each token of a repetition. Default 1.75. */
  readonly dryBase?: number;
  /** Repetitions shorter than this are free. Default 2. */
  readonly dryAllowedLength?: number;
  /** How many tokens it looks at; -1 = all. Default -1. */
  readonly dryPenaltyLastN?: number;
  /** What ends a repetition. Default: nothing. */
  readonly dryBreakers?: readonly DryBreaker[];
  /** Added to the logits of these tokens; -Infinity forbids one. */
  readonly logitBias?: ReadonlyMap<number, number>;
}

export type ResolvedSampling = Required<Omit<SamplingOptions, 'penaltyLastN'>> & Pick<SamplingOptions, 'penaltyLastN'>;

interface Range {
  readonly preset: number;
  readonly min: number;
  readonly max: number;
  readonly integer?: true;
}

const largest = Number.MAX_SAFE_INTEGER;
const ranges = {
  temperature: { preset: 1, min: 0, max: 1e3 },
  dynamicTemperatureRange: { preset: 0, min: 0, max: 1e3 },
  dynamicTemperatureExponent: { preset: 1, min: 0, max: 1e3 },
  topK: { preset: 0, min: 0, max: largest, integer: true },
  topP: { preset: 1, min: 0, max: 1 },
  minP: { preset: 0, min: 0, max: 1 },
  typicalP: { preset: 1, min: 0, max: 1 },
  topNSigma: { preset: 0, min: -1, max: 1e3 },
  xtcProbability: { preset: 0, min: 0, max: 1 },
  xtcThreshold: { preset: 0.1, min: 0, max: 1 },
  minKeep: { preset: 0, min: 0, max: largest, integer: true },
  mirostat: { preset: 0, min: 0, max: 2, integer: true },
  mirostatTau: { preset: 5, min: 0, max: 1e3 },
  mirostatEta: { preset: 0.1, min: 0, max: 1e3 },
  adaptiveTarget: { preset: -1, min: -1, max: 1 },
  adaptiveDecay: { preset: 0.9, min: 0, max: 0.99 },
  repetitionPenalty: { preset: 1, min: 1e-3, max: 1e3 },
  presencePenalty: { preset: 0, min: -1e3, max: 1e3 },
  frequencyPenalty: { preset: 0, min: -1e3, max: 1e3 },
  dryMultiplier: { preset: 0, min: 0, max: 1e3 },
  dryBase: { preset: 1.75, min: 0, max: 1e3 },
  dryAllowedLength: { preset: 2, min: 0, max: largest, integer: true },
  dryPenaltyLastN: { preset: -1, min: -1, max: largest, integer: true },
} as const satisfies Record<string, Range>;
type NumberOption = keyof typeof ranges;

/**
 * Defaults filled in and ranges checked.
 * @throws QuernError `sampling-invalid` naming the option, its value and its range.
 */
export function resolveSampling(options: SamplingOptions, vocabSize: number): ResolvedSampling {
  const numbers = Object.fromEntries(
    Object.entries(ranges).map(([name, range]) => [name, inRange(name, options[name as NumberOption], range)]),
  ) as Record<NumberOption, number>;
  const { rng = 'quern', samplers = stageNames, penaltyLastN, dryBreakers = [], logitBias = new Map() } = options;
  if (!rngNames.includes(rng)) throw invalid(`rng must be ${rngNames.join(' or ')}, got ${rng}.`);
  checkSamplers(samplers);
  checkBias(logitBias, vocabSize);
  return {
    ...numbers,
    rng,
    samplers,
    seed: seedOf(options.seed, rng),
    dryBreakers,
    logitBias,
    ...(penaltyLastN !== undefined && {
      penaltyLastN: inRange('penaltyLastN', penaltyLastN, { preset: -1, min: -1, max: largest, integer: true }),
    }),
  };
}

const invalid = (message: string) => new QuernError('sampling-invalid', message);

function inRange(name: string, given: number | undefined, { preset, min, max, integer }: Range): number {
  const value = given ?? preset;
  if (!(value >= min && value <= max) || (integer && !Number.isInteger(value)))
    throw invalid(`${name} must be ${integer ? 'an integer' : 'a number'} from ${min} to ${max}, got ${value}.`);
  return value;
}

/** llama.cpp reads its largest 32-bit seed as "choose one". */
function seedOf(given: number | undefined, rng: RngName): number {
  const max = rng === 'llama.cpp' ? 2 ** 32 - 2 : largest;
  const preset = Math.min(max, crypto.getRandomValues(new Uint32Array(1))[0]);
  return inRange(rng === 'llama.cpp' ? 'seed (with the random numbers of llama.cpp)' : 'seed', given, {
    preset,
    min: 0,
    max,
    integer: true,
  });
}

function checkSamplers(samplers: readonly string[]): void {
  const unknown = samplers.find((name) => !(stageNames as string[]).includes(name));
  if (unknown !== undefined) throw invalid(`There is no sampler ${unknown}; there are ${stageNames.join(', ')}.`);
  const twice = samplers.find((name, index) => samplers.indexOf(name) !== index);
  if (twice !== undefined) throw invalid(`samplers names ${twice} twice.`);
}

/** Sizes of vocabularies that a bias is for: several replies have the same one, which may name all tokens. */
const checkedBiases = new WeakMap<ReadonlyMap<number, number>, number>();

function checkBias(logitBias: ReadonlyMap<number, number>, vocabSize: number): void {
  if (checkedBiases.get(logitBias) === vocabSize) return;
  for (const [token, bias] of logitBias) {
    if (!Number.isInteger(token) || token < 0 || token >= vocabSize)
      throw invalid(`logitBias names token ${token}; the vocabulary has ${vocabSize}.`);
    if (Number.isNaN(bias) || bias === Number.POSITIVE_INFINITY)
      throw invalid(`logitBias of token ${token} must be finite or -Infinity, got ${bias}.`);
  }
  checkedBiases.set(logitBias, vocabSize);
}
