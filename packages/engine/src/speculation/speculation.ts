// Which source guesses how many tokens for which sequence, by what its guesses have cost and brought so far.
import type { OutputBatch } from '@quern/models';
import type { Share } from '../scheduling/divide.ts';
import type { Sequence } from '../scheduling/sequence.ts';
import type { Drafter } from './drafter.ts';
import type { GuessSource, Wanted } from './guess-source.ts';
import type { Speculating } from './options.ts';
import { worthGuessing } from './payoff.ts';
import { Standing } from './standing.ts';
import type { SpeculationStats } from './stats.ts';
import { StepCost } from './step-cost.ts';

/** How much the time of earlier guesses counts beside the newest. */
const KEEP = 0.8;

export class Speculation implements Drafter {
  readonly #sources: readonly GuessSource[];
  readonly #minDrafts: number;
  readonly #cost: Pick<StepCost, 'learn' | 'known'>;
  readonly #standings = new Map<GuessSource, WeakMap<Sequence, Standing>>();
  /** Milliseconds of one guess. */
  readonly #guessMs = new Map<GuessSource, number>();
  /** Of what goes along with the network, since its last guesses. */
  readonly #followMs = new Map<GuessSource, number>();
  /** Of the step under way. */
  #guessing = new Map<Sequence, GuessSource>();
  #decoding = 0;
  #right = 0;
  #startMs = 0;
  #guessedMs = 0;
  readonly #totals = { guessed: 0, accepted: 0, guessMs: 0, ms: 0, plainMs: 0 };

  /**
   * @param sources asked in this order
   * @param cost what steps cost: one that knows nothing lets everybody guess as much as possible
   */
  constructor(
    sources: readonly GuessSource[],
    { minDrafts }: Pick<Speculating, 'minDrafts'>,
    cost: Pick<StepCost, 'learn' | 'known'> = new StepCost(),
  ) {
    this.#cost = cost;
    this.#sources = sources;
    this.#minDrafts = minDrafts;
    for (const source of sources) this.#standings.set(source, new WeakMap());
  }

  get stats(): SpeculationStats {
    const { guessed, accepted, guessMs, ms, plainMs } = this.#totals;
    return { guessed, accepted, guessMs, speedup: ms === 0 ? 1 : plainMs / ms };
  }

  async propose(sequences: readonly Sequence[]): Promise<void> {
    this.#decoding = sequences.length;
    this.#right = 0;
    this.#guessing = new Map();
    const started = performance.now();
    for (const source of this.#sources) {
      const wanted = this.#wanted(source, sequences);
      if (wanted.length > 0) await this.#ask(source, wanted);
    }
    this.#startMs = performance.now();
    this.#guessedMs = this.#startMs - started;
  }

  judge(sequence: Sequence, drafted: number, accepted: number): void {
    const source = this.#guessing.get(sequence);
    if (source) this.#standing(source, sequence).learn(drafted, accepted);
    this.#totals.guessed += drafted;
    this.#totals.accepted += accepted;
    this.#right += accepted;
  }

  async follow(shares: readonly Share[], batch: OutputBatch): Promise<void> {
    this.#learn(shares);
    for (const source of this.#sources) {
      if (!source.follow) continue;
      const started = performance.now();
      await source.follow(shares, batch, (sequence) => this.#most(source, sequence) > 0);
      this.#followMs.set(source, performance.now() - started);
    }
  }

  #wanted(source: GuessSource, sequences: readonly Sequence[]): Wanted[] {
    return sequences.flatMap((sequence) => {
      if (this.#guessing.has(sequence)) return [];
      const most = this.#most(source, sequence);
      return most === 0 ? [] : [{ sequence, most }];
    });
  }

  async #ask(source: GuessSource, wanted: readonly Wanted[]): Promise<void> {
    const begun = performance.now();
    await source.prepare?.(wanted.map(({ sequence }) => sequence));
    const started = performance.now();
    this.#totals.guessMs += started - begun;
    const guesses = await source.guess(wanted);
    let count = 0;
    for (const [n, { sequence }] of wanted.entries()) {
      const guess = guesses[n]!;
      if (guess.length === 0 || guess.length < this.#minDrafts) continue;
      sequence.drafts = guess;
      this.#guessing.set(sequence, source);
      count += guess.length;
    }
    const allMs = performance.now() - started + (this.#followMs.get(source) ?? 0);
    this.#followMs.delete(source);
    this.#totals.guessMs += allMs;
    const ms = allMs / Math.max(1, count);
    const known = this.#guessMs.get(source);
    this.#guessMs.set(source, known === undefined ? ms : KEEP * known + (1 - KEEP) * ms);
  }

  /** How many tokens a source is to guess for a sequence. */
  #most(source: GuessSource, sequence: Sequence): number {
    const room = Math.min(source.maxDrafts, sequence.mostDrafts, sequence.endTokens - sequence.tokens.length - 1);
    const standing = this.#standing(source, sequence);
    if (room < 1 || standing.isResting(sequence.tokens.length)) return 0;
    const { acceptance } = standing;
    const guessMs = this.#guessMs.get(source) ?? 0;
    const most = worthGuessing({ acceptance, guessMs, most: room, decoding: this.#decoding }, this.#cost.known);
    if (most === 0) standing.rest(sequence.tokens.length);
    return most;
  }

  #standing(source: GuessSource, sequence: Sequence): Standing {
    const known = this.#standings.get(source)!;
    const found = known.get(sequence) ?? new Standing();
    known.set(sequence, found);
    return found;
  }

  /** Steps with parts of prompts tell nothing of what a guess costs. */
  #learn(shares: readonly Share[]): void {
    if (shares.some(({ count }) => count > 1)) return;
    const guessed = shares.reduce((sum, { drafts }) => sum + drafts, 0);
    const ms = performance.now() - this.#startMs;
    this.#cost.learn(shares.length + guessed, ms);
    const known = this.#cost.known;
    if (guessed === 0 || !known) return;
    this.#totals.ms += ms + this.#guessedMs;
    this.#totals.plainMs += (1 + this.#right / shares.length) * (known.base + known.each * shares.length);
  }
}
