// One request's choice of the next token, in llama.cpp's way: logit bias, then the stages of its chain one after the other,
// then a draw. Arithmetic is in f32 as there, so that with `rng: 'llama.cpp'` the same logits and seed give the same tokens.
// By default top-p and min-p come before the temperature, which therefore flattens what was kept and lets nothing back in.
// The state (random numbers, tokens seen) belongs to the request, so its batch mates cannot change its tokens.
import { QuernError } from '@quern/errors';
import { Candidates } from './candidates.ts';
import { adaptiveP } from './choice/adaptive-p.ts';
import type { Choice } from './choice/choice.ts';
import { draw } from './choice/draw.ts';
import { mirostat } from './choice/mirostat.ts';
import type { ResolvedSampling } from './options.ts';
import { type StageName, stageKinds } from './stages/index.ts';
import type { Stage } from './stages/stage.ts';
import { uniformsOf } from './uniform.ts';

export class Sampler {
  readonly #bias: ReadonlyMap<number, number>;
  readonly #stages: readonly Stage[];
  readonly #choice: Choice;

  /** `vocabSize`: of the logits that it will be given. */
  constructor(options: ResolvedSampling, prompt: Iterable<number>, vocabSize: number) {
    const uniforms = uniformsOf(options.rng, options.seed);
    this.#bias = options.logitBias;
    this.#stages = stagesOf(options).flatMap((name) => stageKinds[name].stage(options, uniforms) ?? []);
    this.#choice = choiceOf(options, uniforms, vocabSize);
    const learning = this.#stages.filter((stage) => stage.accept);
    if (learning.length > 0) for (const token of prompt) for (const stage of learning) stage.accept!(token, true);
  }

  /**
   * Chooses a token and remembers it. `logits` [vocab], finite, is overwritten.
   * @throws QuernError `no-token-allowed` when the bias forbids every token.
   */
  sample(logits: Float32Array): number {
    for (const [token, bias] of this.#bias) logits[token] += bias;
    const candidates = new Candidates(logits);
    if (logits[candidates.highest()] === Number.NEGATIVE_INFINITY)
      throw new QuernError('no-token-allowed', 'logitBias forbids every token of the vocabulary.');
    for (const stage of this.#stages) stage.apply(candidates);
    const place = this.#choice.choose(candidates);
    const token = candidates.ids[place];
    for (const stage of this.#stages) stage.accept?.(token, false);
    return token;
  }
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
