// The request fields of /completion and /infill: those of the other endpoints, with llama-server's defaults, and its own.
import { randomInt } from 'node:crypto';
import { samplerNames } from '@quern/engine';
import { z } from 'zod';
import { lengthFields, maxTokensOf, stopStrings } from '../generate/ending-fields.ts';
import { generationFields } from '../generate/generation-request.ts';
import type { RequestDefaults } from '../generate/request-defaults.ts';
import type { ServedModel } from '../models/served-model.ts';

const tokenCount = z.int('expected a number of tokens, or -1 for as many as there is room for').min(-1).nullish();
const count = generationFields.n;
const probabilities = z.int().min(0).max(1000).nullish();

export const completionFields = {
  ...generationFields,
  ...lengthFields,
  /** 0 computes the prompt alone. */
  n_predict: tokenCount,
  max_tokens: tokenCount,
  /** Replies to each prompt; `n` is OpenAI's name. */
  n_cmpl: count,
  /** How many likely tokens to tell of beside each; 0: none. */
  n_probs: probabilities,
  logprobs: probabilities,
  /** Of the candidates that the sampler left, instead of the model's own distribution. */
  post_sampling_probs: z.boolean().nullish(),
  return_tokens: z.boolean().nullish(),
  timings_per_token: z.boolean().nullish(),
  /** Fields of the answer, with `/` between the names of nested ones. */
  response_fields: z.array(z.string().max(256)).max(256).nullish(),
};

const completionShape = z.looseObject(completionFields);
export type CompletionRequest = z.infer<typeof completionShape>;

/** What llama-server does where nothing is said. */
const usualSampling = { temperature: 0.8, top_k: 40, top_p: 0.95, min_p: 0.05, repeat_last_n: 64 };
const off = {
  ...{ dynatemp_range: 0, dynatemp_exponent: 1, typical_p: 1, top_n_sigma: -1, min_keep: 0 },
  ...{ xtc_probability: 0, xtc_threshold: 0.1, repeat_penalty: 1 },
  ...{ presence_penalty: 0, frequency_penalty: 0 },
  ...{ dry_multiplier: 0, dry_base: 1.75, dry_allowed_length: 2, dry_penalty_last_n: -1 },
  ...{ mirostat: 0, mirostat_tau: 5, mirostat_eta: 0.1, adaptive_target: -1, adaptive_decay: 0.9 },
  ...{ dry_sequence_breakers: ['\n', ':', '"', '*'], samplers: samplerNames },
};

/** With llama-server's defaults in the place of what is not said, and a seed that can be told. -1 asks for any. */
export function withUsualSampling<Request extends CompletionRequest>(
  request: Request,
  { sampling }: RequestDefaults,
): Request {
  const seed = request.seed ?? sampling.seed ?? -1;
  const given = Object.entries(request).filter(([, value]) => value !== undefined && value !== null);
  return {
    ...usualSampling,
    ...sampling,
    ...(Object.fromEntries(given) as Request),
    seed: seed === -1 ? randomInt(2 ** 32 - 1) : seed,
  };
}

/** `generation_settings`: what a request comes to. */
export function settingsOf(request: CompletionRequest): object {
  const defaults = { ...usualSampling, ...off };
  const sampling = Object.fromEntries(
    Object.entries(defaults).map(([name, value]) => [name, request[name as keyof typeof defaults] ?? value]),
  );
  const said = maxTokensOf(request) ?? -1;
  const most = Number.isFinite(said) ? said : -1;
  return {
    ...sampling,
    ...{ seed: request.seed ?? -1, max_tokens: most, n_predict: most, n_keep: 0, n_discard: 0 },
    ...{ stop: stopStrings(request), ignore_eos: request.ignore_eos ?? false, stream: request.stream ?? false },
    ...{ logit_bias: request.logit_bias ?? [], n_probs: probabilitiesOf(request) ?? 0, lora: request.lora ?? [] },
    ...{ grammar: request.grammar ?? '', grammar_lazy: request.grammar_lazy ?? false },
    grammar_triggers: request.grammar_triggers ?? [],
    post_sampling_probs: request.post_sampling_probs ?? false,
    ...{ timings_per_token: request.timings_per_token ?? false },
  };
}

/** Undefined: none are told. */
export const probabilitiesOf = ({ n_probs: own, logprobs }: CompletionRequest): number | undefined =>
  (own ?? logprobs) || undefined;

/** The settings of a request that says nothing. */
export const defaultSettings = ({ contextTokens, defaults }: ServedModel): object => ({
  n_ctx: contextTokens,
  params: settingsOf({
    ...(usualSampling as CompletionRequest),
    ...defaults.sampling,
    n_predict: defaults.maxTokens ?? -1,
    stop: [...(defaults.stop ?? [])],
  }),
});
