// What places in an automaton allow is the same in every grammar that holds the automaton (JSON's own texts and numbers,
// formats, patterns that come again): walked over once for a vocabulary.
import type { ByteAutomaton } from '../expression.ts';
import type { Place } from '../machine/program.ts';

const maxBytes = 96 * 2 ** 20;

export class SharedMasks {
  #known = new WeakMap<ByteAutomaton, Map<string, object>>();
  #bytes = 0;

  /** @param what is kept: one for each kind */
  of<T extends { readonly bytes: number }>(what: string, { automaton, states }: Place, make: () => T): T {
    let known = this.#known.get(automaton);
    if (!known) this.#known.set(automaton, (known = new Map()));
    const key = `${what} ${states}`;
    const found = known.get(key);
    if (found) return found as T;
    const made = make();
    this.#bytes += made.bytes;
    if (this.#bytes > maxBytes) {
      this.#known = new WeakMap();
      this.#bytes = made.bytes;
    } else known.set(key, made);
    return made;
  }
}
