// A grammar at work in one text: which tokens may come next, and what a chosen token leads to.
import type { Configuration } from './machine/configuration.ts';
import { Machine } from './machine/machine.ts';
import type { Program } from './machine/program.ts';
import type { TokenMask } from './tokens/token-mask.ts';
import { TokenMasks } from './tokens/token-masks.ts';
import type { TokenTrie } from './tokens/token-trie.ts';

/** A program for one vocabulary, with all that is known of it so far: shared by every text that it constrains. */
export class Automaton {
  readonly machine: Machine;
  readonly trie: TokenTrie;
  readonly masks: TokenMasks;

  constructor(program: Program, trie: TokenTrie) {
    this.machine = new Machine(program);
    this.trie = trie;
    this.masks = new TokenMasks(this.machine, trie);
  }
}

export class GrammarMatcher {
  readonly #automaton: Automaton;
  #at: Configuration;

  constructor(automaton: Automaton, start = automaton.machine.start) {
    this.#automaton = automaton;
    this.#at = start;
  }

  /** Tokens that may come next, those that end the reply apart; not to be changed. */
  get allowed(): TokenMask {
    return this.#automaton.masks.of(this.#at);
  }

  /** The text may end here. */
  get complete(): boolean {
    return this.#at.complete;
  }

  /** False when the token is not allowed; the matcher then stays where it is. */
  accept(token: number): boolean {
    const { machine, trie } = this.#automaton;
    const bytes = trie.bytesOf(token);
    const read = bytes.length > 0 ? this.#after(bytes) : machine.dead;
    const named = machine.afterToken(this.#at, token);
    const next = named.length === 0 ? read : machine.either([read], named);
    if (next.dead) return false;
    this.#at = next;
    return true;
  }

  /** The same for text that is no token. */
  acceptBytes(bytes: Uint8Array): boolean {
    const next = this.#after(bytes);
    if (next.dead) return false;
    this.#at = next;
    return true;
  }

  fork(): GrammarMatcher {
    return new GrammarMatcher(this.#automaton, this.#at);
  }

  #after(bytes: Uint8Array): Configuration {
    const { machine } = this.#automaton;
    let at = this.#at;
    machine.effort.renew();
    for (const byte of bytes) at = machine.afterByte(at, byte);
    return at;
  }
}
