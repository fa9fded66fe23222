// The tokens that a configuration allows, put together from what its places allow for every stack and what leaves them for
// the stack at hand. Masks are kept, up to a number of bytes.
import type { Configuration } from '../machine/configuration.ts';
import type { Frame } from '../machine/frame.ts';
import type { LocalSet } from '../machine/local-set.ts';
import type { Machine } from '../machine/machine.ts';
import { type Place, placeOf } from '../machine/place.ts';
import type { ByteTree } from './byte-tree.ts';
import { type LocalMask, localMask, MeasuredMask } from './local-masks.ts';
import { TokenMask } from './token-mask.ts';
import type { TokenTrie } from './token-trie.ts';
import { walk } from './walk.ts';

const maxKeptBytes = 64 * 2 ** 20;
/** Where many rules end in one token in many ways, taking each by itself would multiply them. */
const maxLevel = 1;

export class TokenMasks {
  readonly #machine: Machine;
  readonly #trie: TokenTrie;
  readonly #local = new Map<ByteTree, Map<LocalSet, LocalMask>>();
  readonly #measured = new Map<LocalSet, MeasuredMask>();
  readonly #places = new Map<LocalSet, Place | null>();
  readonly #known = new Map<Configuration, TokenMask>();
  #keptBytes = 0;

  constructor(machine: Machine, trie: TokenTrie) {
    this.#machine = machine;
    this.#trie = trie;
  }

  /** Must not be changed: it is kept. */
  of(configuration: Configuration): TokenMask {
    let mask = this.#known.get(configuration);
    if (!mask) {
      mask = new TokenMask(this.#trie.vocabSize);
      this.#machine.effort.renew();
      for (const { set } of configuration.threads)
        for (const { ids, negated } of set.tokens) addNamed(mask, ids, negated, this.#trie.vocabSize);
      this.#addBelow(mask, this.#trie, configuration, 0);
      this.#keep(configuration, mask);
    }
    return mask;
  }

  /** @param level how many rules have ended in the tokens: `tree` is what stands behind that */
  #addBelow(mask: TokenMask, tree: ByteTree, { threads }: Configuration, level: number): void {
    for (const { set, frame } of threads) {
      if (set.edges.length === 0) continue;
      if (frame.kind === 'measured' && level === 0) {
        const local = this.#measuredMask(set).mask(frame.need, frame.room);
        const behind = (parent: Frame): Configuration => this.#machine.closure([{ set: frame.next!, frame: parent }]);
        this.#addLocal(mask, local, frame, behind, level);
      } else if (frame.kind !== 'measured' && (level === 0 || this.#placeOf(set)))
        this.#addLocal(mask, this.#localMask(tree, set), frame, () => this.#machine.popped(frame), level);
      else walk(this.#machine, tree, this.#machine.bare(set, frame), 0, mask);
    }
  }

  #addLocal(
    mask: TokenMask,
    local: LocalMask,
    { parent }: Frame,
    behind: (parent: Frame) => Configuration,
    level: number,
  ): void {
    mask.addAll(local.mask);
    if (!local.leaving || parent === null) return;
    if (level < maxLevel) this.#addBelow(mask, local.leaving, behind(parent), level + 1);
    else walk(this.#machine, local.leaving, behind(parent), 0, mask);
  }

  #localMask(tree: ByteTree, set: LocalSet): LocalMask {
    let known = this.#local.get(tree);
    if (!known) this.#local.set(tree, (known = new Map()));
    const make = (): LocalMask => localMask(this.#machine, this.#trie, tree, set);
    return this.#found(known, set, () => this.#shared(`below ${tree.id}`, set, make));
  }

  #measuredMask(set: LocalSet): MeasuredMask {
    const make = (): MeasuredMask => new MeasuredMask(this.#machine, this.#trie, set);
    return this.#found(this.#measured, set, () => this.#shared('counted', set, make));
  }

  #found<T>(known: Map<LocalSet, T>, set: LocalSet, make: () => T): T {
    let found = known.get(set);
    if (!found) known.set(set, (found = make()));
    return found;
  }

  #shared<T extends { readonly bytes: number }>(what: string, set: LocalSet, make: () => T): T {
    const place = this.#placeOf(set);
    return place ? this.#trie.shared.of(what, place, make) : make();
  }

  #placeOf(set: LocalSet): Place | null {
    let place = this.#places.get(set);
    if (place === undefined) this.#places.set(set, (place = placeOf(this.#machine.program, set.members)));
    return place;
  }

  #keep(configuration: Configuration, mask: TokenMask): void {
    this.#keptBytes += bytesOf(mask);
    for (const [oldest, old] of this.#known) {
      if (this.#keptBytes <= maxKeptBytes) break;
      this.#known.delete(oldest);
      this.#keptBytes -= bytesOf(old);
    }
    this.#known.set(configuration, mask);
  }
}

/** With its place in the map. */
const bytesOf = (mask: TokenMask): number => 200 + mask.bytes;

function addNamed(mask: TokenMask, ids: readonly number[], negated: boolean, vocabSize: number): void {
  if (!negated) {
    for (const id of ids) if (id < vocabSize) mask.add(id);
    return;
  }
  for (let id = 0; id < vocabSize; id++) if (!ids.includes(id)) mask.add(id);
}
