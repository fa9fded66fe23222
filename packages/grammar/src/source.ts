// What a reply can be held to, as plain data that crosses threads, and its compilation.
import { QuernError } from '@quern/errors';
import { automaton, choice, type Expression, rule, sequence, text } from './expression.ts';
import { type GbnfOptions, parseGbnf } from './gbnf/parse.ts';
import { anyObject, jsonRules, space } from './json/values.ts';
import { jsonSchemaRules } from './json-schema/compile.ts';
import { programOf } from './machine/lower.ts';
import type { Program } from './machine/program.ts';
import { utf8Automaton } from './regex/bytes.ts';
import { searchAutomaton } from './regex/compile.ts';
import { RegexError } from './regex/node.ts';
import { boundedWork } from './work.ts';

export type GrammarSource =
  | { readonly kind: 'gbnf'; readonly text: string }
  /** JSON that is valid under a schema. */
  | { readonly kind: 'json-schema'; readonly schema: unknown }
  /** Any JSON object. */
  | { readonly kind: 'json-object' }
  /** Texts that match as a whole. */
  | { readonly kind: 'regex'; readonly pattern: string }
  | { readonly kind: 'choice'; readonly choices: readonly string[] };

const maxDepth = 1_000;
const maxSourceCharacters = 4 * 2 ** 20;

/**
 * @param vocabulary which tokens GBNF may name
 * @throws QuernError what the source says that cannot be enforced: `grammar-…`, `schema-…`
 */
export function compileGrammar(source: GrammarSource, vocabulary: GbnfOptions = {}): Program {
  return boundedWork(() => programFor(source, vocabulary)).made;
}

function programFor(source: GrammarSource, vocabulary: GbnfOptions): Program {
  switch (source.kind) {
    case 'gbnf':
      checkLength(source.text.length);
      return programOf(parseGbnf(source.text, vocabulary), 'root');
    case 'json-schema':
      checkDepth(source.schema);
      checkLength(JSON.stringify(source.schema)?.length ?? 0);
      return jsonProgram(jsonSchemaRules(source.schema));
    case 'json-object':
      return jsonProgram(new Map([...jsonRules(), ['root', anyObject]]));
    case 'regex':
      return programOf(new Map([['root', wholeMatch(source.pattern)]]), 'root');
    case 'choice':
      if (source.choices.length === 0) throw new QuernError('grammar-unsatisfiable', 'The list of choices is empty.');
      return programOf(new Map([['root', choice(source.choices.map(text))]]), 'root');
  }
}

/** White space in front is JSON too, and models like to begin a new line when they stop thinking. */
function jsonProgram(rules: ReadonlyMap<string, Expression>): Program {
  return programOf(new Map([...rules, ['text', sequence([space, rule('root')])]]), 'text');
}

function wholeMatch(pattern: string): Expression {
  try {
    return automaton(utf8Automaton(searchAutomaton(anchored(pattern))));
  } catch (error) {
    if (!(error instanceof RegexError)) throw error;
    throw new QuernError('grammar-syntax', `The regular expression cannot be enforced: ${error.message}.`);
  }
}

/** Lookahead at the top of an expression stays there. */
const anchored = (pattern: string): string =>
  pattern.startsWith('^') && pattern.endsWith('$')
    ? pattern
    : /[|]/.test(pattern)
      ? `^(?:${pattern})$`
      : `^${pattern}$`;

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
