// What an engine has done since its model was loaded: sums, and how long requests took.
import { Histogram } from './histogram.ts';
import type { FinishEvent } from './request.ts';
import type { Share } from './scheduling/divide.ts';
import type { Outcome, Sequence } from './scheduling/sequence.ts';
import type { Ending, Latencies, StepTotals } from './stats.ts';

/** Bounds of vLLM's histograms, as far as they matter to one machine. */
const tokenSeconds = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 10];
const firstTokenSeconds = [0.005, 0.01, 0.02, 0.04, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 10, 20, 40, 80, 160];
const requestSeconds = [0.1, 0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 60, 120, 240, 480, 960];

export class RunTotals {
  readonly #sums = { steps: 0, sequences: 0, promptTokens: 0, cachedTokens: 0, generatedTokens: 0, mostTokens: 0 };
  readonly #ms = { prompt: 0, generation: 0 };
  readonly #endings: Record<Ending, number> = { stop: 0, length: 0, deadline: 0, cancelled: 0, error: 0 };
  readonly #firstToken = new Histogram(firstTokenSeconds);
  readonly #interToken = new Histogram(tokenSeconds);
  readonly #request = new Histogram(requestSeconds);
  readonly #queue = new Histogram(requestSeconds);
  readonly #prefill = new Histogram(requestSeconds);
  readonly #decode = new Histogram(requestSeconds);

  step(shares: readonly Share[]): void {
    this.#sums.steps++;
    this.#sums.sequences += shares.length;
  }

  /** A sequence has got `count` tokens, one of them its first if `before` was 0. */
  tokens(sequence: Sequence, before: number): void {
    const count = sequence.generated - before;
    const gapMs = sequence.msSinceTokens();
    const others = before === 0 ? count - 1 : count;
    for (let i = 0; i < others; i++) this.#interToken.observe(before === 0 ? 0 : gapMs / count);
  }

  /** @param sequences those that ended: lanes of one beam search, or one alone */
  ended(sequences: readonly Sequence[], outcome: Outcome): void {
    const [first] = sequences;
    // One that got no token has not read its prompt, or only a part.
    if (first!.generated > 0) {
      this.#sums.promptTokens += first!.promptTokens;
      this.#sums.cachedTokens += first!.cachedTokens;
    }
    for (const { generated, tokens } of sequences) {
      this.#sums.generatedTokens += generated;
      this.#sums.mostTokens = Math.max(this.#sums.mostTokens, tokens.length);
    }
    const event = 'event' in outcome ? (outcome.event as FinishEvent) : undefined;
    this.#endings[event?.finishReason ?? 'error']++;
    if (!event || event.generatedTokens === 0) return;
    this.#ms.prompt += event.timings.promptMs;
    this.#ms.generation += event.timings.generationMs;
    if (event.finishReason !== 'cancelled') this.#took(event);
  }

  #took({ timings: { queueMs, promptMs, generationMs } }: FinishEvent): void {
    this.#queue.observe(queueMs);
    this.#prefill.observe(promptMs);
    this.#decode.observe(generationMs);
    this.#firstToken.observe(queueMs + promptMs);
    this.#request.observe(queueMs + promptMs + generationMs);
  }

  get sums(): Omit<StepTotals, 'preemptions'> {
    const { prompt: promptMs, generation: generationMs } = this.#ms;
    return { ...this.#sums, promptMs, generationMs, endings: { ...this.#endings } };
  }

  get latencies(): Latencies {
    return {
      ...{ firstToken: this.#firstToken.counts, interToken: this.#interToken.counts, request: this.#request.counts },
      ...{ queue: this.#queue.counts, prefill: this.#prefill.counts, decode: this.#decode.counts },
    };
  }
}
