// One request on its way through the engine: its tokens, how many of them are computed, and where its state lies.
import { QuernError } from '@quern/errors';
import type { Constraint, LazyConstraint } from '@quern/grammar';
import type { BeamRun } from '../beams/beam-run.ts';
import type { CachedBlock } from '../cache/cached-block.ts';
import type { FinishEvent, FinishReason, GenerateEvent, GenerateOptions } from '../request.ts';
import { resolveSampling } from '../sampling/options.ts';
import { Sampler } from '../sampling/sampler.ts';
import { TokenRules } from '../sampling/token-rules.ts';
import { scalesOf, scopeOf } from './adapter-scope.ts';
import { checkpointsOf } from './checkpoints.ts';
import { MS_PER_PRIORITY } from './waiting-line.ts';

export interface SequenceLimits {
  readonly vocabSize: number;
  /** Most tokens of prompt and reply together. */
  readonly contextTokens: number;
  /** Sequences have a state of fixed size, which is kept at checkpoints. */
  readonly usesSlots: boolean;
  /** How many adapters there are; none when not given. */
  readonly adapters?: number;
}

export type Outcome = { readonly event: GenerateEvent } | { readonly error: QuernError };

export class Sequence {
  /** Prompt, then reply. */
  readonly tokens: number[];
  readonly promptTokens: number;
  /** Length of `tokens` at which the generation ends. */
  readonly endTokens: number;
  readonly sampler: Sampler;
  readonly seed: number;
  readonly stopTokens: ReadonlySet<number>;
  /** How many alternatives to report; undefined: no log probabilities at all. */
  readonly logprobs: number | undefined;
  /** The same for probabilities after the stages of the sampler. */
  readonly samplingProbs: number | undefined;
  readonly emit: (outcome: Outcome) => void;
  /** Forbids tokens before one is sampled. */
  constraint?: Constraint | LazyConstraint;
  readonly rules?: TokenRules;
  /** Takes the place of what would be sampled, as far as it reaches. */
  readonly dictated?: readonly number[];
  /** Of each adapter of the model how much; undefined: none of any. */
  readonly adapterScales?: Float32Array;
  /** Texts of other scopes share no state with this one. */
  readonly scope: string;
  /** Its place in the order of all: the lower, the sooner. */
  readonly turn: number;
  /** When it ends at the latest, in milliseconds of `performance.now()`. */
  readonly deadline: number;
  /** How many of `tokens` have their keys and values in the cache. */
  computed = 0;
  /** Guesses of the tokens that follow, see speculation/drafter.ts. */
  drafts: readonly number[] = [];
  /** Where its keys and values are; the first ones, full and shared, are those of `chain`. */
  blocks: number[] = [];
  chain: CachedBlock[] = [];
  /** Where its state of fixed size is; while it runs. */
  slot: number | undefined;
  /** Of the prompt, those that needed no computation. */
  cachedTokens = 0;
  generated = 0;
  /** Most guesses at a time. */
  readonly mostDrafts: number;
  draftTokens = 0;
  acceptedTokens = 0;
  ended = false;
  /** Sequences with the same prompt that begin when it has been computed, with its state. */
  branches: Sequence[] = [];
  /** The beam search that it follows a text for; it is not sampled then. */
  beams?: BeamRun;
  /** Positions at which a batch ends, so that the state there can be kept. */
  readonly #checkpoints: readonly number[];
  readonly #submitted = performance.now();
  #admitted?: number;
  #firstToken?: number;
  #tokensTold?: number;

  /** @throws QuernError `prompt-empty`, `prompt-too-long`, `token-out-of-range`, `request-invalid`, `sampling-invalid` */
  constructor(
    prompt: Int32Array,
    options: GenerateOptions,
    { vocabSize, contextTokens, usesSlots, adapters = 0 }: SequenceLimits,
    emit: (outcome: Outcome) => void,
  ) {
    const { maxTokens, stopTokens = [], logprobs, priority = 0, messageEnds = [], deadlineMs } = options;
    const { samplingProbs, maxDrafts = Number.POSITIVE_INFINITY } = options;
    checkPrompt(prompt, vocabSize);
    checkCount('maxTokens', maxTokens, 1, Number.MAX_SAFE_INTEGER);
    checkCount('logprobs', logprobs, 0, vocabSize);
    checkCount('samplingProbs', samplingProbs, 0, vocabSize);
    checkCount('deadlineMs', deadlineMs, 1, Number.MAX_SAFE_INTEGER);
    checkCount('priority', priority, -1000, 1000);
    checkCount('maxDrafts', options.maxDrafts, 0, 1024);
    checkRoom(prompt.length, maxTokens, contextTokens);
    const sampling = resolveSampling(options.sampling ?? {}, vocabSize);
    this.adapterScales = scalesOf(options.adapters ?? [], adapters);
    this.scope = scopeOf(this.adapterScales);
    this.tokens = Array.from(prompt);
    this.promptTokens = prompt.length;
    this.endTokens = maxTokens === undefined ? contextTokens : prompt.length + maxTokens;
    this.sampler = new Sampler(sampling, prompt, vocabSize);
    this.seed = sampling.seed;
    this.stopTokens = new Set(stopTokens);
    if (options.minTokens || options.allowedTokens || options.bannedSequences?.length)
      this.rules = new TokenRules(options, stopTokens, vocabSize);
    if (options.dictated) {
      checkPrompt(Int32Array.from(options.dictated), vocabSize);
      this.dictated = options.dictated;
    }
    this.logprobs = logprobs;
    this.samplingProbs = samplingProbs;
    this.mostDrafts = maxDrafts;
    this.emit = emit;
    this.deadline = this.#submitted + (deadlineMs ?? Number.POSITIVE_INFINITY);
    this.turn = this.#submitted + priority * MS_PER_PRIORITY;
    this.#checkpoints = usesSlots ? checkpointsOf(prompt.length, messageEnds) : [];
  }

  /** Tokens that the next batches must compute; 1 while decoding. */
  get pending(): number {
    return this.tokens.length - this.computed;
  }

  /** The next position at which its state is kept. */
  get nextCheckpoint(): number {
    return this.#checkpoints.find((position) => position > this.computed) ?? Number.POSITIVE_INFINITY;
  }

  get isAtCheckpoint(): boolean {
    return this.#checkpoints.includes(this.computed);
  }

  /** @param cachedTokens tokens that needed no computation */
  markAdmitted(cachedTokens: number): void {
    if (this.#admitted !== undefined) return;
    this.#admitted = performance.now();
    this.cachedTokens = Math.min(cachedTokens, this.promptTokens);
  }

  markToken(): void {
    this.generated++;
    this.#firstToken ??= performance.now();
  }

  /** Since this was asked last, or since the first token. */
  msSinceTokens(): number {
    const now = performance.now();
    const ms = now - (this.#tokensTold ?? this.#firstToken ?? now);
    this.#tokensTold = now;
    return ms;
  }

  finishEvent(finishReason: FinishReason, stopToken?: number): FinishEvent {
    const now = performance.now();
    const admitted = this.#admitted ?? now;
    const firstToken = this.#firstToken ?? now;
    return {
      finishReason,
      ...(stopToken === undefined ? {} : { stopToken }),
      promptTokens: this.promptTokens,
      generatedTokens: this.generated,
      cachedTokens: this.cachedTokens,
      draftTokens: this.draftTokens,
      acceptedTokens: this.acceptedTokens,
      seed: this.seed,
      timings: {
        queueMs: admitted - this.#submitted,
        promptMs: firstToken - admitted,
        generationMs: now - firstToken,
      },
    };
  }
}

function checkPrompt(prompt: Int32Array, vocabSize: number): void {
  if (prompt.length === 0) throw new QuernError('prompt-empty', 'The prompt has no tokens.');
  const wrong = prompt.findIndex((token) => token < 0 || token >= vocabSize);
  if (wrong >= 0)
    throw new QuernError(
      'token-out-of-range',
      `Prompt token ${wrong} is ${prompt[wrong]}; the vocabulary has ${vocabSize} tokens.`,
    );
}

function checkCount(name: string, value: number | undefined, min: number, max: number): void {
  if (value !== undefined && !(Number.isInteger(value) && value >= min && value <= max))
    throw new QuernError('request-invalid', `${name} must be an integer from ${min} to ${max}, got ${value}.`);
}

/** Nothing is cut silently: what cannot fit is refused with the numbers. */
function checkRoom(promptTokens: number, maxTokens: number | undefined, contextTokens: number): void {
  if (promptTokens + (maxTokens ?? 1) <= contextTokens) return;
  const reply = maxTokens === undefined ? 'leaves no room for a reply' : `and ${maxTokens} tokens of reply do not fit`;
  throw new QuernError(
    'prompt-too-long',
    `A prompt of ${promptTokens} tokens ${reply} in a context of ${contextTokens} tokens.`,
    { remedy: 'Shorten the prompt, ask for fewer tokens, or start with a longer context.' },
  );
}
