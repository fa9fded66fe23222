// The request fields that chat and text completions share.
import type { Context } from 'hono';
import { z } from 'zod';
import { ApiError } from '../api-error.ts';
import { bodyText } from '../http/body-text.ts';
import { parseJson } from '../http/json-text.ts';
import { adapterField } from './adapters.ts';
import { beamFields } from './beam-fields.ts';
import { grammarFields } from './grammar-request.ts';
import { samplingFields } from './sampling-fields.ts';
import { refuseUnsupported, type UnsupportedField } from './unsupported.ts';

/** OpenAI allows 4 stop strings; agents send more. A bound keeps matching cheap. */
const maxStops = 64;
const stopString = z.string().min(1);

export const generationFields = {
  model: z.string().nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  stop: z
    .union([stopString, z.array(stopString).max(maxStops)], 'expected a non-empty string or a list of them')
    .nullish(),
  /** Replies to the same prompt. */
  n: z.int().min(1).max(128).nullish(),
  /** What it may take, waiting included. */
  deadline_ms: z.int().min(1).nullish(),
  /** vLLM's: the lower, the sooner. */
  priority: z.int().min(-1000).max(1000).nullish(),
  /** llama-server's: most tokens guessed at a time; 0: none. */
  'speculative.n_max': z.int().min(0).max(1024).nullish(),
  lora: adapterField.nullish(),
  max_tokens: z.int().min(1).nullish(),
  ...samplingFields,
  ...beamFields,
  ...grammarFields,
};

const generationShape = z.looseObject(generationFields);
export type GenerationRequest = z.infer<typeof generationShape>;

/**
 * Reads and checks a JSON body.
 * @param refused further fields of its API that would change the answer and are not there
 * @throws ApiError 400 `invalid_json`, `unsupported_parameter`, `invalid_value`
 */
export async function readRequest<Shape extends z.ZodType>(
  context: Context,
  shape: Shape,
  refused: readonly UnsupportedField[] = [],
): Promise<z.infer<Shape>> {
  const body = parseJson(await bodyText(context));
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new ApiError(400, 'invalid_json', 'The request body must be a JSON object.');
  }
  refuseUnsupported(body as Record<string, unknown>);
  refuseUnsupported(body as Record<string, unknown>, refused);
  const parsed = shape.safeParse(body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const param = issue.path.join('.');
  throw new ApiError(400, 'invalid_value', `${param || 'The request'}: ${issue.message}.`, { param });
}

export const stopStrings = ({ stop }: GenerationRequest): string[] =>
  stop === undefined || stop === null ? [] : typeof stop === 'string' ? [stop] : stop;
