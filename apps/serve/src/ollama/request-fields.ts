// Fields that Ollama's chat and generate share, as requests in the field names of the rest of the server. What `options` does not say is as
// Ollama documents it (temperature 0.8, top_k 40, top_p 0.9, repeat_penalty 1.1 over the last 64 tokens).
import { z } from 'zod';
import { ApiError } from '../api-error.ts';
import type { GenerationRequest } from '../generate/generation-request.ts';
import { samplingFields } from '../generate/sampling-fields.ts';
import { anyObject } from '../large-shapes.ts';
import { parseKeepAlive } from '../models/keep-alive.ts';
import type { ServedModel } from '../models/served-model.ts';
import { withoutLatest } from './ollama-endpoint.ts';

const { temperature, top_k, top_p, min_p, typical_p, seed } = samplingFields;
const { repeat_last_n, repeat_penalty, presence_penalty, frequency_penalty } = samplingFields;
const { mirostat, mirostat_tau, mirostat_eta } = samplingFields;

/** How a model is loaded is for the server's flags to say; these change no token. */
const neutralOptions = z.unknown().optional();

const optionsShape = z.strictObject({
  ...{ temperature, top_k, top_p, min_p, typical_p, seed },
  ...{ repeat_last_n, repeat_penalty, presence_penalty, frequency_penalty },
  ...{ mirostat, mirostat_tau, mirostat_eta },
  stop: z.union([z.string().min(1), z.array(z.string().min(1)).max(64)]).nullish(),
  /** -1 and -2: as many as there is room for. */
  num_predict: z.int().min(-2).nullish(),
  num_ctx: z.int().min(1).nullish(),
  tfs_z: z.literal(1, 'tail-free sampling is not there: 1 turns it off').nullish(),
  penalize_newline: z.literal(true, 'line ends are penalized like all tokens').nullish(),
  num_keep: neutralOptions,
  ...{ numa: neutralOptions, num_batch: neutralOptions, num_gpu: neutralOptions, main_gpu: neutralOptions },
  ...{ low_vram: neutralOptions, f16_kv: neutralOptions, vocab_only: neutralOptions, use_mmap: neutralOptions },
  ...{ use_mlock: neutralOptions, num_thread: neutralOptions, logits_all: neutralOptions },
});
type Options = z.infer<typeof optionsShape>;

export const modelField = z.string().min(1);

export const namedFields = {
  model: modelField.nullish(),
  /** Its name in older clients. */
  name: modelField.nullish(),
};

/** @throws ApiError 400 for none */
export function nameOf({ model, name }: { model?: string | null; name?: string | null }): string {
  const given = model ?? name;
  if (given) return withoutLatest(given);
  throw new ApiError(400, 'invalid_value', 'model: which one?', { param: 'model' });
}

export const keepAliveField = z
  .union([z.string(), z.number()])
  .refine((value) => parseKeepAlive(value) !== undefined, 'expected seconds, or a time such as "5m" or "1h30m"')
  .nullish();

export const keepMs = (value: string | number | null | undefined): number | undefined =>
  value === null || value === undefined ? undefined : parseKeepAlive(value);

export const thinkField = z.union([z.boolean(), z.enum(['high', 'medium', 'low'])]).nullish();

export const sharedFields = {
  model: modelField,
  stream: z.boolean().nullish(),
  options: optionsShape.nullish(),
  format: z.union([z.literal(''), z.literal('json'), anyObject], 'expected "json" or a JSON schema').nullish(),
  keep_alive: keepAliveField,
  think: thinkField,
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
};

const sharedShape = z.looseObject(sharedFields);
export type SharedRequest = z.infer<typeof sharedShape>;

export function generationOf({ options, format }: Pick<SharedRequest, 'options' | 'format'>): GenerationRequest {
  const { stop, num_predict: _, num_ctx: __, ...sampling } = options ?? {};
  return {
    ...{ temperature: 0.8, top_k: 40, top_p: 0.9, repeat_penalty: 1.1, repeat_last_n: 64 },
    ...samplingOf(sampling),
    stop,
    ...(format === 'json' && { response_format: { type: 'json_object' as const } }),
    ...(typeof format === 'object' && format !== null && { json_schema: format }),
  };
}

const samplingOf = (options: Options): Partial<GenerationRequest> =>
  Object.fromEntries(
    Object.entries(options).filter(([name, value]) => name in samplingFields && value !== null && value !== undefined),
  );

/** Undefined: as many as there is room for. */
export function maxTokensOf({ options }: Pick<SharedRequest, 'options'>): number | undefined {
  const most = options?.num_predict ?? -1;
  return most < 0 ? undefined : most;
}

/**
 * Log probabilities that are asked for.
 * @throws ApiError 400 for `top_logprobs` alone
 */
export function logProbsOf({ logprobs, top_logprobs: top }: SharedRequest): { logProbs?: number } {
  if (logprobs) return { logProbs: top ?? 0 };
  if (!top) return {};
  throw new ApiError(400, 'invalid_value', 'top_logprobs needs logprobs.', { param: 'top_logprobs' });
}

/** A context is reserved when a model is loaded. @throws ApiError 400 with both numbers when a longer one is asked for */
export function checkContext({ options }: Pick<SharedRequest, 'options'>, { id, contextTokens }: ServedModel): void {
  const asked = options?.num_ctx;
  if (!asked || asked <= contextTokens) return;
  const message = `options.num_ctx: ${asked} tokens were asked for; "${id}" is served with a context of ${contextTokens} (--ctx-size).`;
  throw new ApiError(400, 'context_too_long', message, { param: 'options.num_ctx' });
}
