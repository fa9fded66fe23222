// What a reply can be held to, as plain data that crosses threads, and its compilation.
import { expressionOf } from './compose.ts';
import type { GbnfOptions } from './gbnf/parse.ts';
import { programOf } from './machine/lower.ts';
import type { Program } from './machine/program.ts';
import { boundedWork } from './work.ts';

export type GrammarSource =
  | { readonly kind: 'gbnf'; readonly text: string }
  /**
   * JSON that is valid under a schema, with white space in front. `closed`: objects whose schema names properties and says nothing of
   * others have no others, as in llama.cpp and xgrammar. Default: they may, as JSON Schema has it.
   */
  | {
      readonly kind: 'json-schema';
      readonly schema: unknown;
      /** A JSON pointer to the schema that is meant, where `schema` is a document of several. */
      readonly at?: string;
      /** `python`: True, False and None. Default `json`. */
      readonly spelling?: 'json' | 'python';
      readonly closed?: boolean;
    }
  /** A value under a schema as formats with tags have it: a text without quotes, all else as JSON. None of `until` is in a text. */
  | {
      readonly kind: 'bare-value';
      readonly schema: unknown;
      readonly until: readonly string[];
      readonly at?: string;
      readonly spelling?: 'json' | 'python';
      readonly closed?: boolean;
    }
  /** Any JSON object, with white space in front. */
  | { readonly kind: 'json-object' }
  /** Texts that match as a whole. */
  | { readonly kind: 'regex'; readonly pattern: string }
  | { readonly kind: 'choice'; readonly choices: readonly string[] }
  | { readonly kind: 'text'; readonly text: string }
  /** The special token whose text this is; where the vocabulary has none, the text itself. */
  | { readonly kind: 'token'; readonly text: string }
  /** Any text in which none of `until` is. What ends it is not part of it. */
  | { readonly kind: 'free'; readonly until?: readonly string[] }
  | { readonly kind: 'sequence'; readonly parts: readonly GrammarSource[] }
  | { readonly kind: 'one-of'; readonly options: readonly GrammarSource[] }
  | { readonly kind: 'optional'; readonly item: GrammarSource }
  /** `min` (0) to `max` (any number) times, with `separator` between them. */
  | {
      readonly kind: 'repeat';
      readonly item: GrammarSource;
      readonly min?: number;
      readonly max?: number;
      readonly separator?: GrammarSource;
    };

/**
 * @param vocabulary which tokens GBNF and `token` may name
 * @throws QuernError what the source says that cannot be enforced: `grammar-…`, `schema-…`
 */
export function compileGrammar(source: GrammarSource, vocabulary: GbnfOptions = {}): Program {
  return boundedWork(() => {
    const root = expressionOf(source, vocabulary);
    return programOf({ rules: new Map([['root', root]]) }, 'root');
  }).made;
}
