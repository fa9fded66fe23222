// What places in an automaton allow is the same in every grammar that holds the automaton (JSON's own texts and numbers,
// formats, patterns that come again): walked over once for a vocabulary.
import type { Place } from '../machine/place.ts';

const maxBytes = 48 * 2 ** 20;

interface Sized {
  readonly bytes: number;
}

export class SharedMasks {
  /** The least recently made first. */
  readonly #known = new Map<string, { readonly made: Sized; readonly bytes: number }>();
  #bytes = 0;

  /** @param what is kept: one for each kind */
  of<T extends Sized>(what: string, { id, states }: Place, make: () => T): T {
    const key = `${id} ${what} ${states}`;
    const found = this.#known.get(key);
    if (found) return found.made as T;
    const made = make();
    // With the key, and the place in the map.
    const bytes = 200 + key.length + made.bytes;
    this.#known.set(key, { made, bytes });
    this.#bytes += bytes;
    for (const [oldest, old] of this.#known) {
      if (this.#bytes <= maxBytes || oldest === key) break;
      this.#known.delete(oldest);
      this.#bytes -= old.bytes;
    }
    return made;
  }
}
