// The request fields that chat and text completions share.
import type { Context } from 'hono';
import { z } from 'zod';
import { ApiError } from '../api-error.ts';
import { bodyText } from '../http/body-text.ts';
import { parseBody } from '../http/json-text.ts';
import { adapterField } from './adapters.ts';
import { beamFields } from './beam-fields.ts';
import { endingFields, lengthFields } from './ending-fields.ts';
import { grammarFields } from './grammar-request.ts';
import { neutralFields } from './neutral-fields.ts';
import { asksForSomething, type RefusedField, refusedFields, refuseFields } from './refused-fields.ts';
import { samplingFields } from './sampling-fields.ts';
import { tokenRuleFields } from './token-rule-fields.ts';

export const generationFields = {
  model: z.string().nullish(),
  stream: z.boolean().nullish(),
  stream_options: z
    .looseObject({
      include_usage: z.boolean().nullish(),
      /** vLLM's: with `include_usage`, in every chunk too. */
      continuous_usage_stats: z.boolean().nullish(),
    })
    .nullish(),
  /** Replies to the same prompt. */
  n: z.int().min(1).max(128).nullish(),
  /** vLLM's: the lower, the sooner. */
  priority: z.int().min(-1000).max(1000).nullish(),
  /** llama-server's: most tokens guessed at a time; 0: none. */
  'speculative.n_max': z.int().min(0).max(1024).nullish(),
  lora: adapterField.nullish(),
  /** vLLM's: false writes special tokens as their text. */
  skip_special_tokens: z.boolean().nullish(),
  max_tokens: lengthFields.max_tokens,
  ...endingFields,
  ...tokenRuleFields,
  ...samplingFields,
  ...beamFields,
  ...grammarFields,
};

const generationShape = z.looseObject(generationFields);
export type GenerationRequest = z.infer<typeof generationShape>;

/** An endpoint that does not have these cannot hold a reply to them; a free text instead would look right. */
const unheld = Object.keys(grammarFields).map((field) => ({
  field,
  // An empty schema asks for JSON.
  asks: (value: unknown) => asksForSomething(value) || (isObject(value) && !Array.isArray(value)),
  why: 'What this endpoint writes is held by fields of its own API alone.',
}));

declare module 'hono' {
  interface ContextVariableMap {
    /** Of the request's fields, those that no endpoint knows. */
    ignoredFields?: readonly string[];
  }
}

/** All APIs together have half as many. */
const maxFields = 1024;

/**
 * Reads and checks a JSON body.
 * @param refused further fields of its API that would change the answer and are not there
 * @throws ApiError 400 `invalid_json`, `unsupported_parameter`, `invalid_value`
 */
export async function readRequest<Shape extends z.ZodType>(
  context: Context,
  shape: Shape,
  refused: readonly RefusedField[] = [],
): Promise<z.infer<Shape>> {
  const body = await parseBody(await bodyText(context));
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new ApiError(400, 'invalid_json', 'The request body must be a JSON object.');
  }
  const fields = Object.entries(body);
  if (fields.length > maxFields)
    throw new ApiError(400, 'invalid_value', `The request has ${fields.length} fields; it may have ${maxFields}.`);
  const honoured = new Set(shape instanceof z.ZodObject ? Object.keys(shape.shape) : []);
  const others = fields.filter(([field]) => !honoured.has(field));
  const rows = [...refused, ...refusedFields, ...unheld];
  refuseFields(others, rows);
  const ignored = others.map(([field]) => field).filter((name) => !neutralFields.has(name) && !isAmong(rows, name));
  if (ignored.length > 0) context.set('ignoredFields', ignored);
  const parsed = await shape.safeParseAsync(body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const param = issue.path.join('.');
  throw new ApiError(400, 'invalid_value', `${param || 'The request'}: ${issue.message}.`, { param });
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;
const isAmong = (rows: readonly RefusedField[], name: string): boolean => rows.some(({ field }) => field === name);
