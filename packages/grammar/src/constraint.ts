// A grammar at work on the logits of one reply.
import { QuernError } from '@quern/errors';
import type { Configuration } from './machine/configuration.ts';
import { type Automaton, GrammarMatcher } from './matcher.ts';

export class Constraint {
  readonly #matcher: GrammarMatcher;
  readonly #vocabSize: number;
  readonly #stopTokens: ReadonlySet<number>;

  /**
   * @param stopTokens those that end the reply: allowed where the grammar is complete, and only there
   * @param start where the text is already; default: before its beginning
   */
  constructor(automaton: Automaton, stopTokens: ReadonlySet<number>, start?: Configuration) {
    this.#matcher = new GrammarMatcher(automaton, start);
    this.#vocabSize = automaton.trie.vocabSize;
    this.#stopTokens = stopTokens;
  }

  /**
   * Sets the logits of all tokens that the grammar forbids to -Infinity.
   * @throws QuernError `grammar-no-token`, `grammar-too-ambiguous`
   */
  apply(logits: Float32Array): void {
    const { allowed, complete } = this.#matcher;
    const kept = [...this.#stopTokens].map((token) => ({
      token,
      logit: complete ? logits[token] : Number.NEGATIVE_INFINITY,
    }));
    allowed.apply(logits);
    for (const { token, logit } of kept) if (token < this.#vocabSize) logits[token] = logit;
    if (complete ? this.#stopTokens.size > 0 : !allowed.empty) return;
    if (!allowed.empty) return;
    throw new QuernError('grammar-no-token', 'No token of the vocabulary can go on with what the grammar asks for.', {
      remedy: 'Loosen the grammar.',
    });
  }

  /** The token that was chosen; not one that ends the reply. */
  accept(token: number): void {
    if (this.#matcher.accept(token)) return;
    throw new QuernError('grammar-no-token', `Token ${token} was chosen, which the grammar forbids.`);
  }

  /** Text in the middle of a token. */
  acceptBytes(bytes: Uint8Array): void {
    if (this.#matcher.acceptBytes(bytes)) return;
    throw new QuernError('grammar-no-token', 'Text was chosen that the grammar forbids.');
  }

  /** The text is whole and nothing may follow. */
  get finished(): boolean {
    return this.#matcher.complete && this.#matcher.allowed.empty;
  }
}
