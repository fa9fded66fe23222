// What a request says that its reply must be: OpenAI's `response_format`, llama.cpp's `grammar` and `json_schema`. Compiled
// before a token is computed, so that what cannot be enforced is a 400 and never a free text.
import { tokenNamed } from '@quern/engine';
import { QuernError } from '@quern/errors';
import { compileGrammar, type GrammarSource } from '@quern/grammar';
import { z } from 'zod';
import { ApiError } from './api-error.ts';
import type { ServedModel } from './served-model.ts';

const schema = z.union(
  [z.record(z.string(), z.unknown()), z.boolean()],
  'expected a JSON schema: an object or a boolean',
);

export const grammarFields = {
  grammar: z.string().nullish(),
  json_schema: schema.nullish(),
  response_format: z
    .discriminatedUnion('type', [
      z.looseObject({ type: z.literal('text') }),
      /** llama.cpp takes a schema here too. */
      z.looseObject({ type: z.literal('json_object'), schema: schema.nullish() }),
      z.looseObject({
        type: z.literal('json_schema'),
        json_schema: z.looseObject({
          name: z.string().nullish(),
          schema: schema.nullish(),
          strict: z.boolean().nullish(),
        }),
      }),
    ])
    .nullish(),
};

const fieldsShape = z.looseObject(grammarFields);
type GrammarRequest = z.infer<typeof fieldsShape>;

/** Compiling is a matter of milliseconds; a client that sends the same schema again does not wait for it. */
const maxChecked = 64;
const checked = new Set<string>();

/** @throws ApiError 400 `invalid_grammar`, `invalid_value` when two fields ask for different things */
export function grammarOf(request: GrammarRequest, model: ServedModel): GrammarSource | undefined {
  const asked = askedFor(request);
  if (asked.length === 0) return undefined;
  const [{ param, source }] = asked as [Asked, ...Asked[]];
  if (asked.length > 1)
    throw new ApiError(400, 'invalid_value', `${asked.map((one) => one.param).join(' and ')}: give only one of them.`, {
      param,
    });
  const key = `${model.id} ${JSON.stringify(source)}`;
  if (checked.has(key)) return source;
  try {
    compileGrammar(source, (text) => tokenNamed(model.tokenizer, text));
  } catch (error) {
    if (!(error instanceof QuernError)) throw error;
    throw new ApiError(400, 'invalid_grammar', `${param}: ${error.describe()}`, { param });
  }
  if (checked.size >= maxChecked) checked.clear();
  checked.add(key);
  return source;
}

interface Asked {
  readonly param: string;
  readonly source: GrammarSource;
}

function askedFor({ grammar, json_schema: jsonSchema, response_format: format }: GrammarRequest): Asked[] {
  const asked: Asked[] = [];
  // llama.cpp's clients send empty strings for what they do not use.
  if (grammar) asked.push({ param: 'grammar', source: { kind: 'gbnf', text: grammar } });
  if (jsonSchema !== undefined && jsonSchema !== null)
    asked.push({ param: 'json_schema', source: { kind: 'json-schema', schema: jsonSchema } });
  if (format?.type === 'json_object')
    asked.push({
      param: 'response_format',
      source: format.schema ? { kind: 'json-schema', schema: format.schema } : { kind: 'json-object' },
    });
  if (format?.type === 'json_schema')
    asked.push({
      param: 'response_format',
      source: { kind: 'json-schema', schema: format.json_schema.schema ?? true },
    });
  return asked;
}
