// The request fields that chat and text completions share, and what they mean to the engine. Defaults are OpenAI's
// (temperature 1, top_p 1); top_k, min_p and repetition_penalty, which OpenAI does not have, are off unless given.
import type { SamplingOptions } from '@quern/engine';
import type { Context } from 'hono';
import { z } from 'zod';
import { ApiError } from './api-error.ts';
import { refuseUnsupported } from './unsupported.ts';

/** OpenAI allows 4 stop strings; agents send more. A bound keeps matching cheap. */
const maxStops = 64;
const stopString = z.string().min(1);
const penalty = z.number().min(-2).max(2).nullish();

export const generationFields = {
  model: z.string().nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  stop: z
    .union([stopString, z.array(stopString).max(maxStops)], 'expected a non-empty string or a list of them')
    .nullish(),
  seed: z.int().nullish(),
  max_tokens: z.int().min(1).nullish(),
  temperature: z.number().min(0).max(100).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  top_k: z.int().min(0).nullish(),
  min_p: z.number().min(0).max(1).nullish(),
  frequency_penalty: penalty,
  presence_penalty: penalty,
  repetition_penalty: z.number().gt(0).max(100).nullish(),
  logit_bias: z.record(z.string().regex(/^\d+$/), z.number().min(-100).max(100)).nullish(),
};

const generationShape = z.looseObject(generationFields);
export type GenerationRequest = z.infer<typeof generationShape>;

/** Reads and checks a JSON body. @throws ApiError 400 `invalid_json`, `unsupported_parameter`, `invalid_value` */
export async function readRequest<Shape extends z.ZodType>(context: Context, shape: Shape): Promise<z.infer<Shape>> {
  const text = await context.req.text();
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (error) {
    throw new ApiError(400, 'invalid_json', `The request body is not valid JSON: ${(error as Error).message}.`);
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new ApiError(400, 'invalid_json', 'The request body must be a JSON object.');
  }
  refuseUnsupported(body as Record<string, unknown>);
  const parsed = shape.safeParse(body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const param = issue.path.join('.');
  throw new ApiError(400, 'invalid_value', `${param || 'The request'}: ${issue.message}.`, { param });
}

export const stopStrings = ({ stop }: GenerationRequest): string[] =>
  stop === undefined || stop === null ? [] : typeof stop === 'string' ? [stop] : stop;

export function samplingOptions(request: GenerationRequest): SamplingOptions {
  const { logit_bias: bias, seed } = request;
  return {
    temperature: request.temperature ?? 1,
    topP: request.top_p ?? 1,
    topK: request.top_k ?? 0,
    minP: request.min_p ?? 0,
    frequencyPenalty: request.frequency_penalty ?? 0,
    presencePenalty: request.presence_penalty ?? 0,
    repetitionPenalty: request.repetition_penalty ?? 1,
    // OpenAI's seeds are signed; the engine's are not. 32 bits keep every one apart.
    ...(seed === null || seed === undefined ? {} : { seed: seed >= 0 ? seed : seed >>> 0 }),
    ...(bias ? { logitBias: new Map(Object.entries(bias).map(([id, value]) => [Number(id), value])) } : {}),
  };
}
