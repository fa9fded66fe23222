// Grammars of requests, compiled for the model's vocabulary. What is known of a grammar is kept for the next request with it,
// the least recently used one goes first.
import { QuernError } from '@quern/errors';
import {
  Automaton,
  Constraint,
  compileGrammar,
  type GrammarSource,
  type GrammarTrigger,
  LazyConstraint,
  TokenTrie,
} from '@quern/grammar';
import { type MetadataView, type Tokenizer, tokenizerFromGguf } from '@quern/tokenizer';
import type { CompiledGrammar } from './request.ts';

/** Each may keep some 100 MB of masks and places. */
const maxKept = 4;

export class Grammars {
  readonly #metadata: MetadataView;
  readonly #kept = new Map<string, Automaton>();
  #vocabulary?: { tokenizer: Tokenizer; trie: TokenTrie };

  /** @param metadata of the model; its tokenizer is read when the first grammar comes */
  constructor(metadata: MetadataView) {
    this.#metadata = metadata;
  }

  /** @throws QuernError those of `compileGrammar` and of `tokenizerFromGguf` */
  constraint(
    source: GrammarSource | CompiledGrammar,
    trigger: GrammarTrigger | undefined,
    stopTokens: ReadonlySet<number>,
  ): Constraint | LazyConstraint {
    const key = source.kind === 'compiled' ? source.key : JSON.stringify(source);
    const automaton = this.#kept.get(key) ?? this.#compile(source);
    this.#kept.delete(key);
    this.#kept.set(key, automaton);
    if (this.#kept.size > maxKept) this.#kept.delete(this.#kept.keys().next().value!);
    return trigger ? new LazyConstraint(automaton, stopTokens, trigger) : new Constraint(automaton, stopTokens);
  }

  #compile(source: GrammarSource | CompiledGrammar): Automaton {
    const { tokenizer, trie } = (this.#vocabulary ??= readVocabulary(this.#metadata));
    if (source.kind === 'compiled') return new Automaton(source.program, trie);
    const tokenOf = (text: string): number | undefined => tokenNamed(tokenizer, text);
    return new Automaton(compileGrammar(source, { tokenOf, vocabSize: trie.vocabSize }), trie);
  }
}

/** The token whose text this is, special ones included. */
export function tokenNamed(tokenizer: Tokenizer, text: string): number | undefined {
  const ids = tokenizer.encode(text, { parseSpecial: true });
  return ids.length === 1 ? ids[0] : undefined;
}

function readVocabulary(metadata: MetadataView): { tokenizer: Tokenizer; trie: TokenTrie } {
  const tokenizer = tokenizerFromGguf(metadata);
  // Control tokens have no bytes of their own: a grammar names them as tokens, or not at all.
  const bytes = Array.from({ length: tokenizer.vocabSize }, (_, id) => tokenizer.decodeBytes([id]));
  return { tokenizer, trie: new TokenTrie(bytes) };
}

/** For a core that was made without its model's metadata. */
export const noVocabulary = (): QuernError =>
  new QuernError(
    'request-invalid',
    'This engine was loaded without its vocabulary, so it cannot hold a reply to a grammar.',
  );
