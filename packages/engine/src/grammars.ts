// Grammars of requests, compiled for the model's vocabulary. What is known of a grammar is kept for the next request with it,
// the least recently used one goes first.
import { QuernError } from '@quern/errors';
import { Automaton, Constraint, compileGrammar, type GrammarTrigger, LazyConstraint, TokenTrie } from '@quern/grammar';
import type { MetadataView } from '@quern/tokenizer';
import { keyOf, sourceOf } from './asked-grammar.ts';
import type { AskedGrammar, CompiledGrammar } from './request.ts';
import { readVocabulary, tokenNamed, type Vocabulary } from './vocabulary.ts';

/** Each may keep some 100 MB of masks and places. */
const maxKept = 4;

export class Grammars {
  readonly #metadata: MetadataView;
  readonly #kept = new Map<string, Automaton>();
  #vocabulary?: Vocabulary;
  #trie?: TokenTrie;

  /** @param metadata of the model; its tokenizer is read when the first grammar comes that no other thread has compiled */
  constructor(metadata: MetadataView) {
    this.#metadata = metadata;
  }

  /** @throws QuernError those of `compileGrammar` and of `tokenizerFromGguf` */
  constraint(
    source: AskedGrammar | CompiledGrammar,
    trigger: GrammarTrigger | undefined,
    stopTokens: ReadonlySet<number>,
  ): Constraint | LazyConstraint {
    const key = source.kind === 'compiled' ? source.key : keyOf(source);
    const automaton = this.#kept.get(key) ?? this.#compile(source);
    this.#kept.delete(key);
    this.#kept.set(key, automaton);
    if (this.#kept.size > maxKept) this.#kept.delete(this.#kept.keys().next().value!);
    return trigger ? new LazyConstraint(automaton, stopTokens, trigger) : new Constraint(automaton, stopTokens);
  }

  #compile(source: AskedGrammar | CompiledGrammar): Automaton {
    if (source.kind === 'compiled') {
      const trie = (this.#trie ??= new TokenTrie(source.tree ?? this.#read().tree));
      return new Automaton(source.program, trie);
    }
    const { tokenizer, tree } = this.#read();
    const trie = (this.#trie ??= new TokenTrie(tree));
    const tokenOf = (text: string): number | undefined => tokenNamed(tokenizer, text);
    return new Automaton(compileGrammar(sourceOf(source), { tokenOf, vocabSize: trie.vocabSize }), trie);
  }

  #read(): Vocabulary {
    return (this.#vocabulary ??= readVocabulary(this.#metadata));
  }
}

/** For a core that was made without its model's metadata. */
export const noVocabulary = (): QuernError =>
  new QuernError(
    'request-invalid',
    'This engine was loaded without its vocabulary, so it cannot hold a reply to a grammar.',
  );
