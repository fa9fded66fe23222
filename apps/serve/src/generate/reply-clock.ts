// What a reply has taken so far: by this side's clock while it runs, in the engine's figures when it has ended.
import type { FinishEvent, TokenEvent } from '@quern/engine';
import type { ReplyCost } from './cost.ts';

export class ReplyClock {
  readonly #startMs = performance.now();
  #cost: ReplyCost;

  constructor(promptTokens: number) {
    this.#cost = { promptTokens, completionTokens: 0, cachedTokens: 0, promptMs: 0, generationMs: 0 };
  }

  get cost(): ReplyCost {
    return this.#cost;
  }

  /** Since the request was submitted. */
  get ms(): number {
    return performance.now() - this.#startMs;
  }

  /** The prompt has been computed. */
  prompt({ cachedTokens = 0 }: Pick<TokenEvent, 'cachedTokens'>): void {
    this.#cost = { ...this.#cost, cachedTokens, promptMs: this.ms };
  }

  token({ cachedTokens = this.#cost.cachedTokens }: TokenEvent): void {
    const { promptTokens, completionTokens } = this.#cost;
    const promptMs = completionTokens === 0 ? this.ms : this.#cost.promptMs;
    const generationMs = this.ms - promptMs;
    this.#cost = { promptTokens, completionTokens: completionTokens + 1, cachedTokens, promptMs, generationMs };
  }

  end({ generatedTokens, cachedTokens, draftTokens, acceptedTokens, timings }: FinishEvent): void {
    const guesses = { guessed: draftTokens, accepted: acceptedTokens };
    const { promptMs, generationMs } = timings;
    this.#cost = { ...this.#cost, completionTokens: generatedTokens, cachedTokens, guesses, promptMs, generationMs };
  }
}

/** llama-server's limit for text that is inserted while a person waits: once a line has ended and the time is over. */
export class LineLimit {
  readonly #ms: number;
  #firstMs?: number;
  #hasLine = false;

  /** @param ms 0, -1 or nothing: no limit */
  constructor(ms: number | null | undefined) {
    this.#ms = ms && ms > 0 ? ms : Number.POSITIVE_INFINITY;
  }

  /** @param text that has come since the last call */
  isOver(text: string): boolean {
    this.#firstMs ??= performance.now();
    this.#hasLine ||= text.includes('\n');
    return this.#hasLine && performance.now() - this.#firstMs > this.#ms;
  }
}
