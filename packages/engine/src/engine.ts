// The engine as an application sees it: a worker thread computes, the caller's event loop stays free.
import type { Worker } from 'node:worker_threads';
import { QuernError } from '@quern/errors';
import type { GrammarTrigger } from '@quern/grammar';
import type { TextTokens } from '@quern/models';
import { spawnWorker } from '@quern/workers';
import type { CallOptions, LoadedAdapter, StartOptions } from './engine-options.ts';
import { GrammarCompiler, type GrammarVocabulary } from './grammar-compiler.ts';
import { Mailbox } from './mailbox.ts';
import { crashed, hangs, noAnswer } from './not-answering.ts';
import {
  type Answer,
  type EngineInfo,
  type EngineOptions,
  errorFromData,
  type FromWorker,
  type RequestOutcome,
  type SlotAnswer,
  type SlotRequest,
  type ToWorker,
} from './protocol.ts';
import type { AdapterScale, AskedGrammar, GenerateEvent, GenerateOptions } from './request.ts';
import { scalesOf } from './scheduling/adapter-scope.ts';
import { sendBias } from './sent-bias.ts';
import type { EngineStats } from './stats.ts';
import { untilReady } from './until-ready.ts';
import { Watch } from './watch.ts';

const defaultSilenceMs = 600_000;
const defaultAnswerMs = 4000;
/** For the last step, when everything has been cancelled. */
const closeMs = 5000;

export class Engine {
  #info: EngineInfo;
  readonly #worker: Worker;
  readonly #requests = new Map<number, Mailbox<GenerateEvent>>();
  readonly #questions = new Map<number, Mailbox<Answer>>();
  #adapters: readonly LoadedAdapter[];
  readonly #grammars: GrammarCompiler;
  #nextId = 0;
  /** Set once nothing can be asked any more. */
  #ended?: QuernError;
  readonly #exit: Promise<unknown>;
  readonly #onReload: StartOptions['onReload'];
  readonly #answerMs: number;
  readonly #watch: Watch;

  private constructor(
    worker: Worker,
    info: EngineInfo,
    {
      onReload,
      silenceMs = defaultSilenceMs,
      answerMs = defaultAnswerMs,
      adapters = [],
      modelPath,
      override,
    }: StartOptions,
  ) {
    this.#answerMs = answerMs;
    this.#watch = new Watch({
      silenceMs,
      isOwed: () => this.#requests.size + this.#questions.size > 0,
      ping: () => this.#post({ type: 'ping' }),
      hangs: () => {
        this.#fail(hangs(silenceMs));
        void worker.terminate();
      },
    });
    this.#grammars = new GrammarCompiler({ modelPath, override });
    this.#adapters = adapters.map((adapter, id) => ({ id, ...adapter }));
    this.#worker = worker;
    this.#info = info;
    this.#onReload = onReload;
    this.#exit = new Promise((resolve) => worker.once('exit', resolve));
    worker.on('message', (message: FromWorker) => this.#receive(message));
    worker.on('error', (cause) => this.#fail(crashed(`The engine's worker failed: ${cause.message}`, cause)));
    worker.on('exit', (code) => this.#fail(crashed(`The engine's worker ended unexpectedly (exit code ${code}).`)));
  }

  /**
   * Loads a model in a worker thread and reserves the memory of its cache.
   * @throws QuernError what stopped the model from loading, `engine-crashed` when the worker died
   */
  static async start(all: StartOptions): Promise<Engine> {
    const { onProgress, onReload, silenceMs, answerMs, ...options } = all;
    const worker = spawnWorker(new URL('./engine-worker.ts', import.meta.url), import.meta.url, {
      workerData: options satisfies EngineOptions,
    });
    return new Engine(worker, await untilReady(worker, onProgress), all);
  }

  /** Of the model as it is loaded now. */
  get info(): EngineInfo {
    return this.#info;
  }

  /** The adapters, and how strongly requests get them that do not say. */
  get adapters(): readonly LoadedAdapter[] {
    return this.#adapters;
  }

  /** For the requests to come: adapters that are not named are off. @throws QuernError `request-invalid` */
  setAdapterScales(scales: readonly AdapterScale[]): void {
    const all = scalesOf(scales, this.#adapters.length);
    this.#adapters = this.#adapters.map((adapter) => ({ ...adapter, scale: all?.[adapter.id] ?? 0 }));
  }

  /** Why nothing can be asked any more, once it cannot. */
  get failure(): QuernError | undefined {
    return this.#ended;
  }

  /**
   * Generates after `prompt`, from the first `next()` on: token events, then exactly one finish event. Leaving the loop
   * cancels the request.
   * @throws QuernError (from the iterator) `prompt-empty`, `prompt-too-long`, `token-out-of-range`, `request-invalid`,
   *   `sampling-invalid`, `grammar-…`, `schema-…`, `logits-not-finite`, `no-token-allowed`, `engine-closed`, `engine-crashed`,
   *   `engine-hangs`, `engine-device-lost`, and those of a device: `device-lost`, …
   */
  generate(prompt: Int32Array, options: CallOptions = {}): AsyncGenerator<GenerateEvent, void> {
    return this.generateBranches(prompt, options, 1)[0]!;
  }

  /**
   * Generates `count` replies to one prompt, which is computed once. The seeds are that of the request and those that follow. All begin
   * with the first `next()` of any; each is to be read, or left.
   */
  generateBranches(
    prompt: Int32Array,
    { signal, ...options }: CallOptions,
    count: number,
  ): AsyncGenerator<GenerateEvent, void>[] {
    const adapters = options.adapters ?? this.#adapters;
    const ids = Array.from({ length: count }, () => this.#nextId++);
    const mailboxes = ids.map(() => new Mailbox<GenerateEvent>());
    let started = false;
    const start = (): void => {
      if (started) return;
      if (this.#ended) throw this.#ended;
      started = true;
      for (const [i, id] of ids.entries()) this.#requests.set(id, mailboxes[i]!);
      // A copy: cloning a view would send all the memory under it.
      const { logitBias, ...sampling } = options.sampling ?? {};
      this.#post({
        ...{ type: 'generate', ids, prompt: prompt.slice(), cancelled: signal?.aborted },
        options: { ...this.#compiled(options), adapters, sampling },
        ...(logitBias?.size && { bias: sendBias(logitBias) }),
      });
    };
    return ids.map((id, i) => this.#events(id, mailboxes[i]!, start, signal));
  }

  async *#events(
    id: number,
    mailbox: Mailbox<GenerateEvent>,
    start: () => void,
    signal?: AbortSignal,
  ): AsyncGenerator<GenerateEvent, void> {
    start();
    const cancel = (): void => this.#post({ type: 'cancel', id });
    signal?.addEventListener('abort', cancel);
    if (signal?.aborted) cancel();
    try {
      for (;;) {
        const event = await mailbox.take();
        yield event;
        if ('finishReason' in event) return;
      }
    } finally {
      signal?.removeEventListener('abort', cancel);
      if (this.#requests.delete(id)) cancel();
    }
  }

  /**
   * Compiles a grammar in a thread of its own and keeps it, so that a request with it is refused before it is queued, and holds up
   * nobody. A grammar that has not been compiled so is compiled by the engine's thread, between two batches.
   * @throws QuernError `grammar-…`, `schema-…`, `cancelled`
   */
  async compileGrammar(
    source: AskedGrammar,
    vocabulary: GrammarVocabulary,
    { trigger, signal }: { trigger?: GrammarTrigger; signal?: AbortSignal } = {},
  ): Promise<void> {
    if (this.#ended) throw this.#ended;
    await this.#grammars.compile(source, vocabulary, trigger, signal);
  }

  #compiled(options: GenerateOptions): GenerateOptions {
    const { grammar, grammarTrigger } = options;
    const compiled = grammar && grammar.kind !== 'compiled' && this.#grammars.known(grammar, grammarTrigger);
    return compiled ? { ...options, grammar: compiled } : options;
  }

  /**
   * What the engine is doing, told by its thread between two batches.
   * @throws QuernError `engine-not-answering`, `engine-closed`, `engine-crashed`, `engine-hangs`, `engine-device-lost`
   */
  async stats(): Promise<EngineStats> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(noAnswer(this.#answerMs)), this.#answerMs);
    const answer = this.#ask((id) => ({ type: 'stats', id }), late.signal) as Promise<EngineStats>;
    return answer.finally(() => clearTimeout(timer));
  }

  /**
   * Saves the last text of a slot, restores it, or forgets it, between two batches.
   * @throws QuernError `slot-unknown`, `slot-empty`, `slot-saving-off`, `slot-file-name`, `slot-file-missing`, `slot-file-damaged`,
   *   `slot-file-foreign` (another model, or other settings), `slot-text-too-large`, `disk-full` and others of writing, and those
   *   of `stats`
   */
  slot(request: SlotRequest): Promise<SlotAnswer> {
    return this.#ask((id) => ({ type: 'slot', id, ...request })) as Promise<SlotAnswer>;
  }

  /**
   * One vector for each of `texts`, normalized if the model says so and `raw` does not.
   * @throws QuernError `no-embeddings` from an engine that generates, `embedding-empty`, `context-exceeded` (nothing is cut off),
   *   `token-out-of-range`, `embedding-non-finite`, `cancelled`, and those of `stats`
   */
  embed(
    texts: readonly TextTokens[],
    { signal, raw = false }: { signal?: AbortSignal; raw?: boolean } = {},
  ): Promise<readonly Float32Array[]> {
    const copies = texts.map(({ tokens, secondFrom }) => ({ tokens: tokens.slice(), secondFrom }));
    return this.#ask((id) => ({ type: 'embed', id, texts: copies, raw }), signal) as Promise<readonly Float32Array[]>;
  }

  async #ask(question: (id: number) => ToWorker, signal?: AbortSignal): Promise<Answer> {
    if (this.#ended) throw this.#ended;
    const id = this.#nextId++;
    const mailbox = new Mailbox<Answer>();
    this.#questions.set(id, mailbox);
    this.#post(question(id));
    const cancel = (): void => {
      this.#post({ type: 'cancel', id });
      const { reason } = signal!;
      mailbox.fail(reason instanceof QuernError ? reason : new QuernError('cancelled', 'The request was cancelled.'));
    };
    signal?.addEventListener('abort', cancel);
    if (signal?.aborted) cancel();
    return mailbox.take().finally(() => {
      signal?.removeEventListener('abort', cancel);
      this.#questions.delete(id);
    });
  }

  /** Accepts nothing new, waits for the running requests (or cancels them), then ends the worker. */
  async close({ cancel = false }: { cancel?: boolean } = {}): Promise<void> {
    this.#ended ??= new QuernError('engine-closed', 'The engine has been closed.');
    if (cancel) for (const id of this.#requests.keys()) this.#post({ type: 'cancel', id });
    this.#grammars.close();
    this.#post({ type: 'close' });
    const overdue = cancel ? setTimeout(() => void this.#worker.terminate(), closeMs) : undefined;
    await this.#exit;
    clearTimeout(overdue);
  }

  #receive(message: FromWorker): void {
    this.#watch.heard();
    if (message.type === 'broken') this.#fail(errorFromData(message.error));
    if (message.type === 'reloaded') {
      this.#info = message.info;
      this.#onReload?.(errorFromData(message.error), message.info);
    }
    if (message.type === 'answer') this.#questions.get(message.id)?.put(message.answer);
    if (message.type === 'failed') this.#questions.get(message.id)?.fail(errorFromData(message.error));
    if (message.type === 'outcomes') for (const outcome of message.outcomes) this.#deliver(outcome);
  }

  #deliver(outcome: RequestOutcome): void {
    const { id } = outcome;
    const mailbox = this.#requests.get(id);
    if ('error' in outcome) mailbox?.fail(errorFromData(outcome.error));
    else mailbox?.put(outcome.event);
    if ('error' in outcome || 'finishReason' in outcome.event) this.#requests.delete(id);
  }

  /** The first error counts; the later exit of a broken or closed worker adds nothing. */
  #fail(error: QuernError): void {
    this.#ended ??= error;
    this.#watch.end();
    for (const mailbox of [...this.#requests.values(), ...this.#questions.values()]) mailbox.fail(this.#ended);
    this.#requests.clear();
  }

  #post(message: ToWorker): void {
    this.#watch.begin();
    this.#worker.postMessage(message);
  }
}
