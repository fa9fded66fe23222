// What a request says that its reply must be: OpenAI's `response_format`, llama.cpp's `grammar` and `json_schema`, vLLM's
// `structured_outputs` and `guided_…`. Compiled before a token is computed, so that what cannot be enforced is a 400 and never a free text.

import { type AskedGrammar, tokenNamed } from '@quern/engine';
import { QuernError } from '@quern/errors';
import type { GrammarSource, GrammarTrigger } from '@quern/grammar';
import type { Tokenizer } from '@quern/tokenizer';
import { z } from 'zod';
import { ApiError } from '../api-error.ts';
import { anyObject } from '../large-shapes.ts';
import type { ModelChat } from '../models/model-chat.ts';
import type { ServedModel } from '../models/served-model.ts';
import { schemaSource } from './schema-source.ts';
import { askedByVllm, vllmGrammarFields } from './vllm-grammar-fields.ts';

const schema = z.union([anyObject, z.boolean()], 'expected a JSON schema: an object or a boolean');

const isGiven = (value: unknown): boolean => value !== undefined && value !== null;
/** An object without a schema asks for any JSON. */
const givesOneSchema = (format: { json_schema?: { schema?: unknown } | null; schema?: unknown }): boolean =>
  isGiven(format.schema) ? !isGiven(format.json_schema?.schema) : isGiven(format.json_schema);

export const grammarFields = {
  ...vllmGrammarFields,
  grammar: z.string().nullish(),
  json_schema: schema.nullish(),
  response_format: z
    .discriminatedUnion('type', [
      z.looseObject({ type: z.literal('text') }),
      /** llama.cpp takes a schema here too. */
      z.looseObject({ type: z.literal('json_object'), schema: schema.nullish() }),
      z
        .looseObject({
          type: z.literal('json_schema'),
          json_schema: z
            .looseObject({ name: z.string().nullish(), schema: schema.nullish(), strict: z.boolean().nullish() })
            .nullish(),
          /** As in Responses and where people forget the object around it. */
          schema: schema.nullish(),
        })
        .refine(givesOneSchema, 'expected the schema once, as json_schema.schema or as schema'),
    ])
    .nullish(),
  /** llama.cpp's: the grammar waits for a token (type 0), a word (1), a pattern (2), or a pattern that is all of the text so far (3). */
  grammar_lazy: z.boolean().nullish(),
  grammar_triggers: z
    .array(
      z.union(
        [
          z.looseObject({ type: z.literal(0), token: z.int().min(0) }),
          z.looseObject({ type: z.literal([1, 2, 3]), value: z.string().min(1).max(10_000) }),
        ],
        'expected {"type": 0, "token": id}, {"type": 1, "value": word} or {"type": 2 or 3, "value": pattern}',
      ),
    )
    .max(100)
    .nullish(),
};

const fieldsShape = z.looseObject(grammarFields);
type GrammarRequest = z.infer<typeof fieldsShape>;

/** What a reply is held to, and the field that asks. */
export interface Constraint {
  readonly param: string;
  readonly grammar: AskedGrammar;
  readonly grammarTrigger?: GrammarTrigger;
  /** What it is made of, to say which part of what was asked does not compile. */
  readonly parts?: readonly ConstraintPart[];
}

/** What can be compiled alone, and who is named when that fails. */
interface ConstraintPart {
  readonly param: string;
  readonly grammar: () => AskedGrammar;
  readonly blame: (error: QuernError) => QuernError;
}

/**
 * What the request's own fields hold the reply to.
 * @param prompt where it leaves reasoning open, JSON begins when that has been closed
 * @throws ApiError 400 `invalid_value` when two fields ask for different things
 */
export function requestConstraint(
  request: GrammarRequest,
  { tokenizer, chat }: ServedModel,
  prompt: Int32Array,
): Constraint | undefined {
  const asked = askedGrammar(request);
  if (!asked) return undefined;
  const { param, source: grammar, fromStart } = asked;
  const grammarTrigger = triggerOf(request) ?? (fromStart ? undefined : openReasoning(tokenizer, chat, prompt));
  return { param, grammar, ...(grammarTrigger && { grammarTrigger }) };
}

/**
 * Compiles what is asked for, in the engine's thread for grammars.
 * @throws ApiError 400 `invalid_grammar`
 */
export async function checkConstraint(
  constraint: Constraint | undefined,
  model: ServedModel,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  if (!constraint) return;
  const { grammar, grammarTrigger, parts = [] } = constraint;
  let { param } = constraint;
  const { tokenizer, engine } = model;
  const options = { tokenOf: (text: string) => tokenNamed(tokenizer, text), vocabSize: tokenizer.vocabSize };
  const faultOf = async (source: AskedGrammar, trigger?: GrammarTrigger): Promise<QuernError | undefined> => {
    try {
      await engine.compileGrammar(source, options, { trigger, signal });
      return undefined;
    } catch (error) {
      if (!(error instanceof QuernError) || !/^(?:grammar|schema)-/.test(error.code)) throw error;
      return error;
    }
  };
  let fault = await faultOf(grammar, grammarTrigger);
  if (!fault) return;
  // In the thread, too, and one after the other: others' grammars come in between.
  for (const part of parts) {
    const own = await faultOf(part.grammar());
    if (!own) continue;
    fault = part.blame(own);
    param = part.param;
    break;
  }
  throw new ApiError(400, 'invalid_grammar', `${param}: ${fault.describe()}`, { param });
}

function triggerOf({ grammar_lazy: lazy, grammar_triggers: triggers }: GrammarRequest): GrammarTrigger | undefined {
  if (!lazy) return undefined;
  if (!triggers?.length) {
    const message = 'grammar_lazy: the grammar needs grammar_triggers to wait for.';
    throw new ApiError(400, 'invalid_value', message, { param: 'grammar_triggers' });
  }
  return {
    words: triggers.flatMap((trigger) => (trigger.type === 1 ? [trigger.value] : [])),
    patterns: triggers.flatMap((trigger) =>
      trigger.type === 2 ? [trigger.value] : trigger.type === 3 ? [anchored(trigger.value)] : [],
    ),
    tokens: triggers.flatMap((trigger) => (trigger.type === 0 ? [trigger.token] : [])),
  };
}

/** As llama.cpp does. */
const anchored = (pattern: string): string =>
  `${pattern.startsWith('^') ? '' : '^'}${pattern}${pattern.endsWith('$') ? '' : '$'}`;

/** A template may open the model's reasoning; what is asked of the answer holds behind it. */
function openReasoning(
  tokenizer: Tokenizer,
  { format: { reasoning } }: ModelChat,
  prompt: Int32Array,
): GrammarTrigger | undefined {
  if (!reasoning) return undefined;
  const end = tokenizer.decode(prompt.slice(-32), { special: true }).trimEnd();
  if (!end.endsWith(reasoning.open)) return undefined;
  const close = tokenNamed(tokenizer, reasoning.close);
  return { words: [reasoning.close], ...(close !== undefined && { tokens: [close] }), from: 'behind' };
}

export interface Asked {
  /** The field that asks. */
  readonly param: string;
  readonly source: GrammarSource;
  /** It describes the reply from its first token on, reasoning included. */
  readonly fromStart?: true;
}

/** @throws ApiError 400 `invalid_value` when two fields ask for different things */
export function askedGrammar(request: GrammarRequest): Asked | undefined {
  const [asked, other] = askedFor(request);
  if (!asked || !other) return asked;
  const { param } = asked;
  throw new ApiError(400, 'invalid_value', `${param} and ${other.param}: give only one of them.`, { param });
}

function askedFor(request: GrammarRequest): Asked[] {
  const { grammar, json_schema: jsonSchema, response_format: format } = request;
  const asked: Asked[] = askedByVllm(request);
  // llama.cpp's clients send empty strings for what they do not use.
  if (grammar) asked.push({ param: 'grammar', source: { kind: 'gbnf', text: grammar }, fromStart: true });
  if (jsonSchema !== undefined && jsonSchema !== null)
    asked.push({ param: 'json_schema', source: schemaSource(jsonSchema) });
  if (format?.type === 'json_object')
    asked.push({
      param: 'response_format',
      source: format.schema ? schemaSource(format.schema) : { kind: 'json-object' },
    });
  if (format?.type === 'json_schema')
    asked.push({
      param: 'response_format',
      source: schemaSource(format.schema ?? format.json_schema?.schema ?? true),
    });
  return asked;
}
