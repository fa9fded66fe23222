// A source as an expression. Each schema and each GBNF in it keeps rules of its own; they meet in one program.
import { QuernError } from '@quern/errors';
import { automaton, choice, type Expression, nothing, optional, repeat, rule, sequence, text } from './expression.ts';
import { type GbnfOptions, parseGbnf } from './gbnf/parse.ts';
import { jsonScope, space } from './json/values.ts';
import { jsonSchemaScope, type SchemaOptions } from './json-schema/compile.ts';
import { bareTextAutomaton, utf8Automaton } from './regex/bytes.ts';
import { fullAutomaton } from './regex/compile.ts';
import { RegexError } from './regex/node.ts';
import { textsWithout } from './regex/without.ts';
import type { GrammarSource } from './source.ts';

const maxDepth = 1_000;
/** Of sources in each other: formats are a few levels deep. */
const maxNesting = 200;
const maxSourceCharacters = 4 * 2 ** 20;

/** @throws QuernError `grammar-…`, `schema-…` */
export function expressionOf(source: GrammarSource, vocabulary: GbnfOptions, depth = 0): Expression {
  if (depth > maxNesting)
    throw new QuernError('grammar-too-deep', `The grammar nests deeper than ${maxNesting} sources.`);
  const inner = (part: GrammarSource): Expression => expressionOf(part, vocabulary, depth + 1);
  switch (source.kind) {
    case 'gbnf':
      checkLength(source.text.length);
      return rule('root', { rules: parseGbnf(source.text, vocabulary) });
    case 'json-schema':
      return spaced(schemaExpression(source.schema, source));
    case 'bare-value':
      return schemaExpression(source.schema, { ...source, bareUntil: source.until });
    case 'json-object':
      return spaced(rule('json-object', jsonScope('json')));
    case 'regex':
      return wholeMatch(source.pattern);
    case 'choice':
      return oneOf(source.choices.map(text));
    case 'text':
      return text(source.text);
    case 'token': {
      const id = vocabulary.tokenOf?.(source.text);
      return id === undefined ? text(source.text) : { kind: 'tokens', ids: [id], negated: false };
    }
    case 'free':
      return automaton(bareTextAutomaton(textsWithout(source.until ?? [])));
    case 'sequence':
      return sequence(source.parts.map(inner));
    case 'one-of':
      return oneOf(source.options.map(inner));
    case 'optional':
      return optional(inner(source.item));
    case 'repeat':
      return repeated(inner(source.item), source.separator && inner(source.separator), source);
  }
}

function schemaExpression(schema: unknown, options: SchemaOptions): Expression {
  checkDepth(schema);
  checkLength(JSON.stringify(schema)?.length ?? 0);
  return rule('root', jsonSchemaScope(schema, options));
}

/** White space in front is JSON too, and models like to begin a new line when they stop thinking. */
const spaced = (value: Expression): Expression => sequence([rule(space.name, jsonScope('json')), value]);

function oneOf(options: readonly Expression[]): Expression {
  if (options.length === 0) throw new QuernError('grammar-unsatisfiable', 'The list of choices is empty.');
  return choice(options);
}

function repeated(
  item: Expression,
  separator: Expression | undefined,
  { min = 0, max = Number.POSITIVE_INFINITY }: { readonly min?: number; readonly max?: number },
): Expression {
  if (max < min)
    throw new QuernError('grammar-unsatisfiable', `A repetition of ${min} to ${max} asks for more than it allows.`);
  if (!separator) return repeat(item, min, max);
  if (max === 0) return nothing;
  const some = sequence([item, repeat(sequence([separator, item]), Math.max(0, min - 1), max - 1)]);
  return min === 0 ? optional(some) : some;
}

function wholeMatch(pattern: string): Expression {
  try {
    return automaton(utf8Automaton(fullAutomaton(pattern)));
  } catch (error) {
    if (!(error instanceof RegexError)) throw error;
    throw new QuernError('grammar-syntax', `The regular expression cannot be enforced: ${error.message}.`);
  }
}

/** Level by level: what follows goes into the depth, and would run out of stack. */
function checkDepth(schema: unknown): void {
  let level: unknown[] = [schema];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > maxDepth)
      throw new QuernError(
        'schema-unsupported',
        `The JSON schema cannot be enforced: it nests deeper than ${maxDepth} levels.`,
      );
    level = level.flatMap((value) => (typeof value === 'object' && value !== null ? Object.values(value) : []));
  }
}

function checkLength(characters: number): void {
  if (characters <= maxSourceCharacters) return;
  throw new QuernError(
    'grammar-too-large',
    `The grammar has ${characters} characters; at most ${maxSourceCharacters} are read.`,
  );
}
