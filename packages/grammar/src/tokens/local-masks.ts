// What a place within a rule allows, whoever called the rule: computed once, true for every stack. The tokens that end the
// rule and go on are only marked (the nodes of the tree where they leave it), and finished with the stack at hand. So the
// inside of a string costs one walk over the vocabulary in all, and then the few tokens with a closing quote.
import type { Configuration } from '../machine/configuration.ts';
import type { LocalSet } from '../machine/local-set.ts';
import type { Machine } from '../machine/machine.ts';
import { TokenMask } from './token-mask.ts';
import type { TokenTrie } from './token-trie.ts';
import { walk } from './walk.ts';

export interface LocalMask {
  readonly mask: TokenMask;
  /** Nodes of the tree where the rule has ended. */
  readonly leaving: readonly number[];
}

export function localMask(machine: Machine, trie: TokenTrie, set: LocalSet): LocalMask {
  const mask = new TokenMask(trie.vocabSize);
  const start = machine.bare(set, machine.frames.hole);
  return { mask, leaving: walk(machine, trie, start, 0, mask) };
}

/** What one token asks of the counters of a measured rule: `room` for it, and no more than `need`. */
interface Demand {
  readonly room: number;
  readonly need: number;
}

/** The same for a rule whose characters count: one walk tells what every token takes from the counters. */
export class MeasuredMask {
  readonly #vocabSize: number;
  readonly #tokens: (Demand & { token: number })[] = [];
  readonly #leaving: (Demand & { node: number })[] = [];
  readonly #most: Demand;
  readonly #known = new Map<string, LocalMask>();

  constructor(machine: Machine, trie: TokenTrie, set: LocalSet) {
    this.#vocabSize = trie.vocabSize;
    this.#walk(machine, trie, machine.bare(set, machine.frames.measuredHole));
    this.#tokens.sort((a, b) => a.room - b.room);
    const all = [...this.#tokens, ...this.#leaving];
    this.#most = {
      room: all.reduce((most, { room }) => Math.max(most, room), 0),
      need: all.reduce((most, { need }) => (need < Number.POSITIVE_INFINITY ? Math.max(most, need + 1) : most), 0),
    };
  }

  /** Counters beyond what any token asks for are as good as that, so few masks differ. */
  mask(needLeft: number, roomLeft: number): LocalMask {
    const need = Math.min(needLeft, this.#most.need);
    const room = Math.min(roomLeft, this.#most.room);
    const key = `${need},${room}`;
    let local = this.#known.get(key);
    if (!local) {
      const fits = (demand: Demand): boolean => demand.room <= room && need <= demand.need;
      const mask = new TokenMask(this.#vocabSize);
      for (const demand of this.#tokens) {
        if (demand.room > room) break;
        if (fits(demand)) mask.add(demand.token);
      }
      local = { mask, leaving: this.#leaving.filter(fits).map(({ node }) => node) };
      this.#known.set(key, local);
    }
    return local;
  }

  #walk(machine: Machine, trie: TokenTrie, start: Configuration): void {
    const { bytes, depths, ends, tokens, twins } = trie;
    const classOf = machine.classes.of;
    const path: Configuration[] = [start];
    const counts: number[] = [0];
    const demands: Demand[] = [{ room: 0, need: Number.POSITIVE_INFINITY }];
    for (let node = 1; node < bytes.length; ) {
      const depth = depths[node]!;
      const before = path[depth - 1]!;
      const next = machine.after(before, classOf[bytes[node]!]!);
      if (next === machine.dead) {
        node = ends[node]!;
        continue;
      }
      const after = next.threads[0]?.set;
      const begins = after !== undefined && before.threads[0]!.set.measure?.boundary === true;
      const count = counts[depth - 1]! + (begins ? 1 : 0);
      const { room, need } = demands[depth - 1]!;
      const { least, most } = after?.measure ?? { least: 0, most: Number.POSITIVE_INFINITY };
      const demand = { room: Math.max(room, count + least), need: Math.min(need, count + most) };
      // What ends the rule asks that enough has been read.
      const leaving = { room: demand.room, need: Math.min(demand.need, count) };
      const reading = after ? demand : leaving;
      for (let token = tokens[node]!; token >= 0; token = twins[token]!) this.#tokens.push({ token, ...reading });
      if (next.leaves) this.#leaving.push({ node, ...leaving });
      path[depth] = next;
      counts[depth] = count;
      demands[depth] = demand;
      node = next.threads.length === 0 ? ends[node]! : node + 1;
    }
  }
}
