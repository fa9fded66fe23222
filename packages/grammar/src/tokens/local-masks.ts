// What a place within a rule allows, whoever called the rule: computed once, true for every stack. The tokens that end the
// rule and go on are only marked (the nodes of the tree where they leave it), and finished with the stack at hand. So the
// inside of a string costs one walk over the vocabulary in all, and then the few tokens with a closing quote.
import type { Configuration } from '../machine/configuration.ts';
import type { LocalSet } from '../machine/local-set.ts';
import type { Machine } from '../machine/machine.ts';
import { type ByteTree, joinedBelow } from './byte-tree.ts';
import { TokenMask } from './token-mask.ts';
import type { TokenTrie } from './token-trie.ts';
import { walk } from './walk.ts';

export interface LocalMask {
  readonly mask: TokenMask;
  /** What stands in tokens behind the end of the rule; undefined: nothing. */
  readonly leaving: ByteTree | undefined;
  readonly bytes: number;
}

function localMaskOf(tree: ByteTree, mask: TokenMask, left: readonly number[]): LocalMask {
  const inner = left.filter((node) => tree.ends[node]! > node + 1);
  const leaving = inner.length === 0 ? undefined : joinedBelow(tree, inner);
  const bytes = mask.bytes + (leaving ? 12 * leaving.bytes.length + 4 * leaving.tokenIds.length : 0);
  return { mask, leaving, bytes };
}

/** @param tree all tokens, or what is left of them behind another rule */
export function localMask(machine: Machine, trie: TokenTrie, tree: ByteTree, set: LocalSet): LocalMask {
  const mask = new TokenMask(trie.vocabSize);
  const start = machine.bare(set, machine.frames.hole);
  return localMaskOf(tree, mask, walk(machine, tree, start, 0, mask));
}

/** What one token asks of the counters of a measured rule: `room` for it, and no more than `need`. */
interface Demands {
  /** Tokens, or nodes where the rule is left. */
  readonly ids: number[];
  readonly needs: number[];
}

/** The same for a rule whose characters count: one walk tells what every token takes from the counters. */
export class MeasuredMask {
  readonly #trie: TokenTrie;
  /** By the room that they ask for. */
  readonly #tokens: Demands[] = [];
  readonly #leaving: Demands[] = [];
  #mostNeed = 0;
  readonly #known = new Map<string, LocalMask>();

  constructor(machine: Machine, trie: TokenTrie, set: LocalSet) {
    this.#trie = trie;
    this.#walk(machine, trie, machine.bare(set, machine.frames.measuredHole));
  }

  /** Counters beyond what any token asks for are as good as that, so few masks differ. */
  mask(needLeft: number, roomLeft: number): LocalMask {
    const need = Math.min(needLeft, this.#mostNeed);
    const room = Math.min(roomLeft, Math.max(this.#tokens.length, this.#leaving.length) - 1);
    const key = `${need},${room}`;
    let local = this.#known.get(key);
    if (!local) {
      const mask = new TokenMask(this.#trie.vocabSize);
      const leaving: number[] = [];
      forEach(this.#tokens, need, room, (token) => mask.add(token));
      forEach(this.#leaving, need, room, (node) => leaving.push(node));
      local = localMaskOf(this.#trie, mask, leaving);
      this.#known.set(key, local);
    }
    return local;
  }

  /** Roughly: the lists, and masks that follow from them. */
  get bytes(): number {
    return 24 * this.#trie.vocabSize;
  }

  #walk(machine: Machine, trie: TokenTrie, start: Configuration): void {
    const { bytes, depths, ends, tokenStarts, tokenIds } = trie;
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
      for (let i = tokenStarts[node]!; i < tokenStarts[node + 1]!; i++)
        this.#add(this.#tokens, tokenIds[i]!, room, after ? need : leavingNeed);
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
