// The tokens that a configuration allows, put together from what its places allow for every stack and what leaves them for
// the stack at hand. Masks are kept, up to a number of bytes.
import type { Configuration, Thread } from '../machine/configuration.ts';
import type { LocalSet } from '../machine/local-set.ts';
import type { Machine } from '../machine/machine.ts';
import { type LocalMask, localMask, MeasuredMask } from './local-masks.ts';
import { TokenMask } from './token-mask.ts';
import type { TokenTrie } from './token-trie.ts';
import { walk } from './walk.ts';

const maxKeptBytes = 64 * 2 ** 20;

export class TokenMasks {
  readonly #machine: Machine;
  readonly #trie: TokenTrie;
  readonly #local = new Map<LocalSet, LocalMask>();
  readonly #measured = new Map<LocalSet, MeasuredMask>();
  readonly #known = new Map<Configuration, TokenMask>();
  readonly #maxKept: number;

  constructor(machine: Machine, trie: TokenTrie) {
    this.#machine = machine;
    this.#trie = trie;
    this.#maxKept = Math.ceil(maxKeptBytes / new TokenMask(trie.vocabSize).words.byteLength);
  }

  /** Must not be changed: it is kept. */
  of(configuration: Configuration): TokenMask {
    let mask = this.#known.get(configuration);
    if (!mask) {
      mask = new TokenMask(this.#trie.vocabSize);
      this.#machine.effort.renew();
      for (const thread of configuration.threads) this.#addThread(mask, thread);
      this.#keep(configuration, mask);
    }
    return mask;
  }

  #addThread(mask: TokenMask, { set, frame }: Thread): void {
    const machine = this.#machine;
    for (const { ids, negated } of set.tokens) addNamed(mask, ids, negated, this.#trie.vocabSize);
    if (set.reading.length === 0) return;
    const measured = frame.kind === 'measured';
    const local = measured ? this.#measuredMask(set).mask(frame.need, frame.room) : this.#localMask(set);
    mask.addAll(local.mask);
    if (local.leaving.length === 0 || frame.parent === null) return;
    const after = measured ? machine.closure([{ set: frame.next!, frame: frame.parent }]) : machine.popped(frame);
    for (const node of local.leaving) walk(machine, this.#trie, after, node, mask);
  }

  #localMask(set: LocalSet): LocalMask {
    let local = this.#local.get(set);
    if (!local) this.#local.set(set, (local = localMask(this.#machine, this.#trie, set)));
    return local;
  }

  #measuredMask(set: LocalSet): MeasuredMask {
    let measured = this.#measured.get(set);
    if (!measured) this.#measured.set(set, (measured = new MeasuredMask(this.#machine, this.#trie, set)));
    return measured;
  }

  #keep(configuration: Configuration, mask: TokenMask): void {
    const oldest = this.#known.keys().next();
    if (this.#known.size >= this.#maxKept && !oldest.done) this.#known.delete(oldest.value);
    this.#known.set(configuration, mask);
  }
}

function addNamed(mask: TokenMask, ids: readonly number[], negated: boolean, vocabSize: number): void {
  if (!negated) {
    for (const id of ids) if (id < vocabSize) mask.add(id);
    return;
  }
  for (let id = 0; id < vocabSize; id++) if (!ids.includes(id)) mask.add(id);
}
