// One request's choice of the next token, in llama.cpp's way: logit bias, then the stages of its chain one after the other,
// then a draw. Arithmetic is in f32 as there, so that with `rng: 'llama.cpp'` the same logits and seed give the same tokens.
// By default top-p and min-p come before the temperature, which therefore flattens what was kept and lets nothing back in.
// The state (random numbers, tokens seen) belongs to the request, so its batch mates cannot change its tokens.
import { QuernError } from '@quern/errors';
import type { HighestLogits } from '@quern/models';
import { Candidates } from './candidates.ts';
import { adaptiveP } from './choice/adaptive-p.ts';
import type { Choice } from './choice/choice.ts';
import { draw } from './choice/draw.ts';
import { mirostat } from './choice/mirostat.ts';
import type { ResolvedSampling } from './options.ts';
import { type StageName, stageKinds } from './stages/index.ts';
import type { Stage } from './stages/stage.ts';
import { uniformsOf } from './uniform.ts';

export interface TokenProbability {
  readonly token: number;
  readonly probability: number;
}

export interface Told extends TokenProbability {
  /** The likeliest first; those without any probability are left out. */
  readonly likeliest: readonly TokenProbability[];
}

export class Sampler {
  /** How many of the likeliest tokens its choices depend on; undefined: on all. */
  readonly needs: number | undefined;
  readonly #bias: ReadonlyMap<number, number>;
  readonly #stages: readonly Stage[];
  readonly #choice: Choice;

  /** `vocabSize`: of the logits that it will be given. */
  constructor(options: ResolvedSampling, prompt: Iterable<number>, vocabSize: number) {
    const uniforms = uniformsOf(options.rng, options.seed);
    this.#bias = options.logitBias;
    const active = stagesOf(options).flatMap((name) => {
      const stage = stageKinds[name].stage(options, uniforms);
      return stage ? [{ name, stage }] : [];
    });
    this.#stages = active.map(({ stage }) => stage);
    this.#choice = choiceOf(options, uniforms, vocabSize);
    this.needs = needsOf(options, active[0]?.name, this.#choice);
    const learning = this.#stages.filter((stage) => stage.accept);
    if (learning.length > 0) for (const token of prompt) for (const stage of learning) stage.accept!(token, true);
  }

  /**
   * Chooses a token and remembers it.
   * @param row the logits of all tokens, finite, which are overwritten; or the `needs` likeliest at least
   * @throws QuernError `no-token-allowed` when the bias forbids every token.
   */
  sample(row: Float32Array | HighestLogits): number {
    const { candidates, place } = this.#choose(row);
    return candidates.ids[place];
  }

  /** The same, and how likely the token was after the stages, with the `count` tokens that were likeliest then. */
  sampleAndTell(row: Float32Array | HighestLogits, count: number): Told {
    const { candidates, place } = this.#choose(row);
    const token = candidates.ids[place];
    if (this.#choice === greedy)
      return { token, probability: 1, likeliest: [{ token, probability: 1 }].slice(0, count) };
    candidates.softmax();
    const probability = candidates.p[place];
    candidates.keepHighest(count);
    const { ids, p, size } = candidates;
    const likeliest = Array.from(ids.subarray(0, size), (id, i) => ({ token: id, probability: p[i] }));
    return { token, probability, likeliest: likeliest.filter((one) => one.probability > 0) };
  }

  #choose(row: Float32Array | HighestLogits): { candidates: Candidates; place: number } {
    const candidates = row instanceof Float32Array ? Candidates.all(row) : Candidates.highest(row);
    for (const [token, bias] of this.#bias) candidates.logits[token] += bias;
    if (candidates.logits[candidates.highest()] === Number.NEGATIVE_INFINITY)
      throw new QuernError('no-token-allowed', 'logitBias forbids every token of the vocabulary.');
    for (const stage of this.#stages) stage.apply(candidates);
    const place = this.#choice.choose(candidates);
    for (const stage of this.#stages) stage.accept?.(candidates.ids[place], false);
    return { candidates, place };
  }
}

/** What may be left out is what `top_k` would take away before anything else looks at it, or all but the one that wins. */
function needsOf(
  { logitBias, topK }: ResolvedSampling,
  first: StageName | undefined,
  choice: Choice,
): number | undefined {
  if (logitBias.size > 0) return undefined;
  if (first === 'top_k') return topK;
  return first === undefined && choice === greedy ? 1 : undefined;
}

/** The stages that can change the choice. */
function stagesOf({ samplers, mirostat: version, temperature }: ResolvedSampling): readonly StageName[] {
  if (isGreedy(temperature, samplers)) {
    const before = version > 0 ? [] : samplers.slice(0, samplers.indexOf('temperature'));
    return before.filter((name) => !stageKinds[name].keepsBest);
  }
  return version > 0 ? ['temperature'] : samplers;
}

const isGreedy = (temperature: number, samplers: readonly StageName[]): boolean =>
  temperature === 0 && samplers.includes('temperature');

const greedy: Choice = { choose: (candidates) => candidates.highest() };

function choiceOf(options: ResolvedSampling, uniforms: ReturnType<typeof uniformsOf>, vocabSize: number): Choice {
  if (isGreedy(options.temperature, options.samplers)) return greedy;
  if (options.mirostat > 0) return mirostat(options, uniforms(), vocabSize);
  return options.adaptiveTarget >= 0 ? adaptiveP(options, uniforms()) : draw(uniforms());
}
