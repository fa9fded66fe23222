// Fields that Ollama's chat and generate share, as requests in the field names of the rest of the server. What `options` does not say is as
// Ollama documents it (temperature 0.8, top_k 40, top_p 0.9, repeat_penalty 1.1 over the last 64 tokens).
import { z } from 'zod';
import { ApiError } from '../api-error.ts';
import type { GenerationRequest } from '../generate/generation-request.ts';
import { anyObject } from '../large-shapes.ts';
import { parseKeepAlive } from '../models/keep-alive.ts';
import { modelOptions, samplingOf } from '../models/model-options.ts';
import type { ServedModel } from '../models/served-model.ts';
import { withoutLatest } from './ollama-endpoint.ts';

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

const thinkField = z.union([z.boolean(), z.enum(['high', 'medium', 'low'])]).nullish();

export const sharedFields = {
  model: modelField,
  stream: z.boolean().nullish(),
  options: modelOptions.nullish(),
  format: z.union([z.literal(''), z.literal('json'), anyObject], 'expected "json" or a JSON schema').nullish(),
  keep_alive: keepAliveField,
  think: thinkField,
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
};

const sharedShape = z.looseObject(sharedFields);
export type SharedRequest = z.infer<typeof sharedShape>;

/** Those of the request, then the model's own, then Ollama's. */
export function generationOf(
  { options, format }: Pick<SharedRequest, 'options' | 'format'>,
  { created }: ServedModel,
): GenerationRequest {
  return {
    ...{ temperature: 0.8, top_k: 40, top_p: 0.9, repeat_penalty: 1.1, repeat_last_n: 64 },
    ...created?.defaults.sampling,
    ...samplingOf(options ?? {}),
    stop: options?.stop,
    ...(format === 'json' && { response_format: { type: 'json_object' as const } }),
    ...(typeof format === 'object' && format !== null && { json_schema: format }),
  };
}

/** Undefined: the request does not say. */
export function maxTokensOf({ options }: Pick<SharedRequest, 'options'>): number | undefined {
  const most = options?.num_predict ?? undefined;
  return most !== undefined && most < 0 ? Number.POSITIVE_INFINITY : most;
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
