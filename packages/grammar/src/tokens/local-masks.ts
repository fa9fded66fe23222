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
interface Demands {
  /** Tokens, or nodes where the rule is left. */
  readonly ids: number[];
  readonly needs: number[];
}

/** The same for a rule whose characters count: one walk tells what every token takes from the counters. */
export class MeasuredMask {
  readonly #vocabSize: number;
  /** By the room that they ask for. */
  readonly #tokens: Demands[] = [];
  readonly #leaving: Demands[] = [];
  #mostNeed = 0;
  readonly #known = new Map<string, LocalMask>();

  constructor(machine: Machine, trie: TokenTrie, set: LocalSet) {
    this.#vocabSize = trie.vocabSize;
    this.#walk(machine, trie, machine.bare(set, machine.frames.measuredHole));
  }

  /** Counters beyond what any token asks for are as good as that, so few masks differ. */
  mask(needLeft: number, roomLeft: number): LocalMask {
    const need = Math.min(needLeft, this.#mostNeed);
    const room = Math.min(roomLeft, Math.max(this.#tokens.length, this.#leaving.length) - 1);
    const key = `${need},${room}`;
    let local = this.#known.get(key);
    if (!local) {
      const mask = new TokenMask(this.#vocabSize);
      const leaving: number[] = [];
      forEach(this.#tokens, need, room, (token) => mask.add(token));
      forEach(this.#leaving, need, room, (node) => leaving.push(node));
      local = { mask, leaving };
      this.#known.set(key, local);
    }
    return local;
  }

  #walk(machine: Machine, trie: TokenTrie, start: Configuration): void {
    const { bytes, depths, ends, tokens, twins } = trie;
    const classOf = machine.classes.of;
    const path: Configuration[] = [start];
    const counts: number[] = [0];
    const rooms: number[] = [0];
    const needs: number[] = [Number.POSITIVE_INFINITY];
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
      const { least = 0, most = Number.POSITIVE_INFINITY } = after?.measure ?? {};
      const room = Math.max(rooms[depth - 1]!, count + least);
      const need = Math.min(needs[depth - 1]!, count + most);
      // What ends the rule asks that enough has been read.
      const leavingNeed = Math.min(need, count);
      for (let token = tokens[node]!; token >= 0; token = twins[token]!)
        this.#add(this.#tokens, token, room, after ? need : leavingNeed);
      if (next.leaves) this.#add(this.#leaving, node, room, leavingNeed);
      path[depth] = next;
      counts[depth] = count;
      rooms[depth] = room;
      needs[depth] = need;
      node = next.threads.length === 0 ? ends[node]! : node + 1;
    }
  }

  #add(demands: Demands[], id: number, room: number, need: number): void {
    while (demands.length <= room) demands.push({ ids: [], needs: [] });
    demands[room]!.ids.push(id);
    demands[room]!.needs.push(need);
    if (need < Number.POSITIVE_INFINITY) this.#mostNeed = Math.max(this.#mostNeed, need + 1);
  }
}

function forEach(demands: readonly Demands[], need: number, room: number, use: (id: number) => void): void {
  for (const { ids, needs } of demands.slice(0, room + 1))
    for (let i = 0; i < ids.length; i++) if (need <= needs[i]!) use(ids[i]!);
}
