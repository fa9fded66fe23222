// The last text of each slot, for who wants to keep it beyond the life of the engine. A slot has no state of its own between
// requests: its text is whatever the cache still keeps of it.
import { QuernError } from '@quern/errors';
import type { SequenceState } from '@quern/models';
import { dropText, type KeptText, putText, takeText } from './kept-text.ts';
import type { KvCache } from './kv-cache.ts';

export class SlotTexts {
  readonly #cache: KvCache;
  readonly #state: SequenceState;

  constructor(cache: KvCache, state: SequenceState) {
    this.#cache = cache;
    this.#state = state;
  }

  /** Must not overlap with a step. @throws QuernError `slot-unknown`, `slot-empty` */
  async take(slot: number): Promise<KeptText> {
    const { scope, tokens } = this.#of(slot);
    await this.#cache.store.moves.run();
    const text = await takeText(this.#cache.store, this.#state, scope, tokens);
    if (text.tokens.length === 0)
      throw new QuernError('slot-empty', `Nothing is kept of the last text of slot ${slot}.`, {
        remedy: 'Save it sooner after a request, or keep more (--cache-ram).',
      });
    return text;
  }

  /** @throws QuernError `slot-unknown`, `slot-text-too-large` */
  put(slot: number, text: KeptText): void {
    this.#of(slot);
    const kept = putText(this.#cache.store, text);
    const wanted = text.tokens.length;
    this.#cache.remember(slot, { scope: text.scope, tokens: [...text.tokens] });
    if (kept < wanted)
      throw new QuernError('slot-text-too-large', `Only ${kept} of ${wanted} tokens of this text can be kept.`, {
        remedy: 'Keep more: --cache-ram.',
      });
  }

  /** Returns how many tokens are forgotten. @throws QuernError `slot-unknown` */
  erase(slot: number): number {
    const { scope, tokens } = this.#of(slot);
    this.#cache.remember(slot, { scope, tokens: [] });
    return dropText(this.#cache.store, scope, tokens);
  }

  #of(slot: number) {
    const text = this.#cache.lastTexts[slot];
    if (text) return text;
    const last = this.#cache.lastTexts.length - 1;
    throw new QuernError('slot-unknown', `There is no slot ${slot}; they are numbered from 0 to ${last}.`);
  }
}
