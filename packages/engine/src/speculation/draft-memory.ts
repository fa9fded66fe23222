// What a small model has computed already. Its cache has the shape of the large one's, and what it computes of a sequence lies in
// the blocks and the slot of the same numbers; nobody else writes there, so what was once computed is there until the small
// model writes over it: for a later sequence too that begins with blocks kept from an earlier one, and for all branches of a
// prompt. States of fixed size (recurrent layers, windows) go on from where they are, and serve their own sequence alone.
import type { Sequence } from '../scheduling/sequence.ts';
import type { Run } from './model-rows.ts';

type Text = Pick<Sequence, 'tokens' | 'blocks'>;

export interface DraftMemory {
  /** Of how many tokens of a sequence, from its first one on, it has what it needs. */
  computed(sequence: Sequence): number;
  /** A run is being computed. @param guessed its tokens are guesses: the sequence may go on otherwise */
  write(run: Pick<Run, 'first' | 'tokens'> & { sequence: Sequence }, guessed: boolean): void;
}

/** What lies in a block: tokens, behind those of the block before it. */
interface Held {
  readonly before: Held | undefined;
  readonly tokens: number[];
}

/** For models that have all their state in blocks. */
export class BlockMemory implements DraftMemory {
  readonly #blockTokens: number;
  readonly #held = new Map<number, Held>();

  constructor(blockTokens: number) {
    this.#blockTokens = blockTokens;
  }

  computed({ blocks, tokens }: Text): number {
    let count = 0;
    let before: Held | undefined;
    for (const block of blocks) {
      const held = this.#held.get(block);
      // Written behind other tokens, it is of another text, although its own are the same.
      if (!held || held.before !== before) break;
      const common = commonTokens(held.tokens, tokens, count);
      count += common;
      if (common < this.#blockTokens) break;
      before = held;
    }
    return count;
  }

  write({ sequence, first, tokens }: { sequence: Text; first: number; tokens: readonly number[] }): void {
    for (const [i, token] of tokens.entries()) {
      const [n, place] = [Math.floor((first + i) / this.#blockTokens), (first + i) % this.#blockTokens];
      const before = n === 0 ? undefined : this.#held.get(sequence.blocks[n - 1]!);
      const known = this.#held.get(sequence.blocks[n]!);
      const ours = known && known.before === before && known.tokens.length >= place;
      if (ours && known.tokens[place] === token) continue;
      // A token in place of another one begins another text, of which nothing further is known.
      if (ours && known.tokens.length === place) known.tokens.push(token);
      else
        this.#held.set(sequence.blocks[n]!, {
          before,
          tokens: [...(ours ? known.tokens.slice(0, place) : new Array(place).fill(unknown)), token],
        });
    }
  }
}

/** No token: what lies there was not written for this text. */
const unknown = -1;

function commonTokens(held: readonly number[], tokens: readonly number[], from: number): number {
  const most = Math.min(held.length, tokens.length - from);
  let count = 0;
  while (count < most && held[count] === tokens[from + count]) count++;
  return count;
}

/** For models that have some of it in slots. */
export class SlotMemory implements DraftMemory {
  readonly #blockTokens: number;
  readonly #known = new WeakMap<Sequence, { computed: number; slot: number; blocks: readonly number[] }>();

  constructor(blockTokens: number) {
    this.#blockTokens = blockTokens;
  }

  computed(sequence: Sequence): number {
    const known = this.#known.get(sequence);
    // A sequence that was interrupted has perhaps the places of others.
    if (known?.slot !== sequence.slot || known?.blocks.some((block, n) => sequence.blocks[n] !== block)) return 0;
    return known?.computed ?? 0;
  }

  write({ sequence, first, tokens }: Parameters<DraftMemory['write']>[0], guessed: boolean): void {
    if (guessed) return; // taken back
    const computed = first + tokens.length;
    const blocks = sequence.blocks.slice(0, Math.ceil(computed / this.#blockTokens));
    this.#known.set(sequence, { computed, slot: sequence.slot!, blocks });
  }
}
