// The choice among beams, as transformers' `generate(num_beams, do_sample=False)` makes it: of all ways to go on from the texts
// that are followed, the likeliest are followed next; those that end join the finished replies, of which the best by
// score (options.ts) are the answer. It knows nothing of models and caches.
import type { TokenLogProb } from '../sampling/log-probs.ts';
import type { ResolvedBeams } from './options.ts';

export interface SearchLimits {
  readonly stopTokens: ReadonlySet<number>;
  /** Length at which every reply ends. */
  readonly maxTokens: number;
}

/** A token and those before it. */
export interface Path {
  readonly token: TokenLogProb;
  /** What else could have come, the likeliest first. */
  readonly offer: readonly TokenLogProb[];
  readonly before: Path | undefined;
  readonly length: number;
  /** Sum of the log probabilities. */
  readonly sum: number;
}

export interface Reply {
  readonly path: Path;
  readonly score: number;
  readonly end: 'stop' | 'length' | 'cut';
}

/** A beam goes on from one of those before it. */
export interface Step {
  readonly from: number;
  readonly token: number;
}

export class BeamSearch {
  /** How many of a beam's likeliest tokens must be known. */
  readonly needs: number;
  readonly #options: ResolvedBeams;
  readonly #limits: SearchLimits;
  /** Those that are followed, the likeliest first; undefined: nothing yet. */
  #beams: readonly (Path | undefined)[] = [undefined];
  /** The best first; `width` at most. */
  #finished: Reply[] = [];
  #length = 0;

  constructor(options: ResolvedBeams, limits: SearchLimits) {
    this.#options = options;
    this.#limits = limits;
    // So many that `width` of them do not end a reply.
    this.needs = options.width * Math.max(2, 1 + limits.stopTokens.size);
  }

  /**
   * @param offers for each beam the likeliest tokens that may follow
   * @returns the beams that are followed next; none: the search is over
   */
  advance(offers: readonly (readonly TokenLogProb[])[]): Step[] {
    const { width } = this.#options;
    this.#length++;
    const likeliest = this.#continuations(offers).slice(0, this.needs);
    const followed = likeliest.filter(({ path }) => this.#endOf(path) === undefined).slice(0, width);
    for (const { path } of likeliest.slice(0, width)) {
      const end = this.#endOf(path);
      if (end) this.#finished.push(this.#reply(path, end));
    }
    this.#finished = byScore(this.#finished).slice(0, width);
    this.#beams = followed.map(({ path }) => path);
    if (this.#isOver()) this.#beams = [];
    return this.#beams.map((path, i) => ({ from: followed[i]!.from, token: path!.token.token }));
  }

  /** The best replies so far. Those that still run count as they are, when the search is cut short. */
  best(count: number): Reply[] {
    const running = this.#beams.flatMap((path) => (path ? this.#reply(path, 'cut') : []));
    return byScore([...this.#finished, ...running]).slice(0, count);
  }

  #continuations(offers: readonly (readonly TokenLogProb[])[]): { path: Path; from: number }[] {
    const all = this.#beams.flatMap((before, from) =>
      offers[from]!.map((token) => {
        const path = {
          ...{ token, before, offer: offers[from]!, length: this.#length },
          sum: (before?.sum ?? 0) + token.logprob,
        };
        return { path, from };
      }),
    );
    return all.sort((a, b) => b.path.sum - a.path.sum);
  }

  #endOf({ token, length }: Path): 'stop' | 'length' | undefined {
    if (this.#limits.stopTokens.has(token.token)) return 'stop';
    return length >= this.#limits.maxTokens ? 'length' : undefined;
  }

  #reply(path: Path, end: Reply['end']): Reply {
    return { path, end, score: path.sum / path.length ** this.#options.lengthPenalty };
  }

  #isOver(): boolean {
    const { width, earlyStopping, lengthPenalty } = this.#options;
    const likeliest = this.#beams[0];
    if (!likeliest) return true;
    if (this.#finished.length < width) return false;
    if (earlyStopping === true) return true;
    const length = earlyStopping === 'never' && lengthPenalty > 0 ? this.#limits.maxTokens : likeliest.length;
    return likeliest.sum / length ** lengthPenalty <= this.#finished.at(-1)!.score;
  }
}

/** Of equal ones the older first. */
const byScore = (replies: readonly Reply[]): Reply[] => [...replies].sort((a, b) => b.score - a.score);
