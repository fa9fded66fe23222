// vLLM's names for what a reply must be: `structured_outputs`, and the older `guided_…`. Facts: its API documentation, "Structured
// outputs". A grammar is GBNF here; what of vLLM's own dialects (Lark, EBNF of xgrammar) is none is refused where it fails.
import type { GrammarSource } from '@quern/grammar';
import { z } from 'zod';
import { ApiError } from '../api-error.ts';
import { requireModest } from '../http/json-text.ts';
import { anyObject, isObject } from '../large-shapes.ts';
import type { Asked } from './grammar-request.ts';
import { schemaSource } from './schema-source.ts';

/** @param field as it is told of */
const schema = (field: string) =>
  z.union(
    [anyObject, z.boolean(), z.string().transform((text) => schemaIn(text, field))],
    'expected a JSON schema, or its text',
  );
const choices = z.array(z.string()).min(1).max(4096);
const never = (why: string) => z.literal(false, why).nullish();
const spacing = 'the white space of JSON cannot be chosen';

export const vllmGrammarFields = {
  structured_outputs: z
    .looseObject({
      json: schema('structured_outputs.json').nullish(),
      regex: z.string().nullish(),
      choice: choices.nullish(),
      grammar: z.string().nullish(),
      json_object: z.boolean().nullish(),
      structural_tag: z.null('structural tags are not supported: offer tools, or use grammar').optional(),
      disable_any_whitespace: never(spacing),
      disable_additional_properties: never('say additionalProperties: false in the schema'),
      whitespace_pattern: z.null(spacing).optional(),
    })
    .nullish(),
  guided_json: schema('guided_json').nullish(),
  guided_regex: z.string().nullish(),
  guided_choice: choices.nullish(),
  guided_grammar: z.string().nullish(),
};

const requestShape = z.looseObject(vllmGrammarFields);
type VllmGrammarRequest = z.infer<typeof requestShape>;

export function askedByVllm(request: VllmGrammarRequest): Asked[] {
  const outputs = request.structured_outputs ?? {};
  const named: readonly (readonly [param: string, source: GrammarSource | undefined])[] = [
    ['guided_json', jsonSchema(request.guided_json)],
    ['guided_regex', regex(request.guided_regex)],
    ['guided_choice', choice(request.guided_choice)],
    ['guided_grammar', gbnf(request.guided_grammar)],
    ['structured_outputs.json', jsonSchema(outputs.json)],
    ['structured_outputs.regex', regex(outputs.regex)],
    ['structured_outputs.choice', choice(outputs.choice)],
    ['structured_outputs.grammar', gbnf(outputs.grammar)],
    ['structured_outputs.json_object', outputs.json_object ? { kind: 'json-object' } : undefined],
  ];
  return named.flatMap(([param, source]) => (source ? [{ param, source }] : []));
}

const regex = (pattern: string | null | undefined): GrammarSource | undefined =>
  typeof pattern === 'string' ? { kind: 'regex', pattern } : undefined;
const choice = (texts: readonly string[] | null | undefined): GrammarSource | undefined =>
  texts ? { kind: 'choice', choices: texts } : undefined;
const gbnf = (text: string | null | undefined): GrammarSource | undefined =>
  typeof text === 'string' ? { kind: 'gbnf', text } : undefined;

const jsonSchema = (schema: unknown): GrammarSource | undefined =>
  schema === undefined || schema === null ? undefined : schemaSource(schema);

/** @throws ApiError 400 when the text is no JSON, deeper than that may be, or no schema */
function schemaIn(text: string, field: string): Record<string, unknown> | boolean {
  requireModest(text, field);
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch (error) {
    throw wrong(field, `is not the text of a schema: ${(error as Error).message}.`);
  }
  if (isObject(read) || typeof read === 'boolean') return read;
  throw wrong(field, 'is the text of something else than a schema, which is an object or a boolean.');
}

const wrong = (field: string, why: string): ApiError =>
  new ApiError(400, 'invalid_value', `${field} ${why}`, { param: field });
