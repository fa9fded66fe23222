// What the engine's thread does: computes batches as long as there are requests, reads messages between them (so a cancel
// waits for one batch at most), and replaces a device that was lost.
//
// A lost device takes the cache with it. Requests that were running end with its error; those that were waiting go on
// after the model has been loaded again. A device that is lost once more before it has computed a batch ends the engine:
// what kills it would kill the next one too.
import { QuernError } from '@quern/errors';
import type { EmbeddingOutcome, EmbeddingQueue } from './embedding/embedding-queue.ts';
import type { OpenedCore } from './open-core.ts';
import { errorToData, type FromWorker, type RequestOutcome, type ToWorker } from './protocol.ts';
import type { Outcome, Sequence } from './scheduling/sequence.ts';
import { receivedBias } from './sent-bias.ts';
import { answerSlot } from './slot-files.ts';

/** After these a new device may work where the old one does not. */
const losses: readonly string[] = ['device-lost', 'device-timeout', 'device-failed', 'device-out-of-memory'];

const isLoss = (error: unknown): error is QuernError => error instanceof QuernError && losses.includes(error.code);

export class EngineLoop {
  readonly #open: () => Promise<OpenedCore>;
  readonly #send: (message: FromWorker) => void;
  readonly #sequences = new Map<number, Sequence>();
  /** Undefined until the model is loaded, and while it is loaded again. */
  #opened?: OpenedCore;
  /** What arrived meanwhile. */
  #unread: Exclude<ToWorker, { type: 'ping' }>[] = [];
  /** A batch has been computed since the model was loaded. */
  #proved = true;
  #closing = false;
  /** What the step under way has given so far. */
  #outcomes: RequestOutcome[] = [];
  /** What wants the core between two batches. */
  readonly #errands: (() => Promise<void>)[] = [];
  #wake = (): void => {};

  /** @param open loads the model, on new devices each time */
  constructor(open: () => Promise<OpenedCore>, send: (message: FromWorker) => void) {
    this.#open = open;
    this.#send = send;
  }

  receive(message: ToWorker): void {
    if (message.type === 'ping') this.#send({ type: 'pong' });
    else if (this.#opened) this.#handle(this.#opened, message);
    else this.#unread.push(message);
  }

  /** Resolves when the engine has been closed. @throws what made it unusable */
  async run(): Promise<void> {
    this.#opened = await this.#open();
    this.#send({ type: 'ready', info: this.#opened.info });
    this.#readUnread(this.#opened);
    while (!(this.#closing && this.#idle)) {
      for (let errand = this.#errands.shift(); errand; errand = this.#errands.shift()) await errand();
      if (this.#idle && this.#errands.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
      else await this.#step(this.#opened);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await this.#opened.dispose();
  }

  get #idle(): boolean {
    const { core, embeddings } = this.#opened!;
    return core.idle && (embeddings?.empty ?? true);
  }

  async #step(opened: OpenedCore): Promise<void> {
    try {
      if (opened.embeddings) this.#tell(await opened.embeddings.step());
      else await opened.core.step();
      this.#proved = true;
    } catch (error) {
      if (!isLoss(error)) throw error;
      await this.#replace(opened, error);
    }
  }

  async #replace(lost: OpenedCore, error: QuernError): Promise<void> {
    this.#opened = undefined;
    const waiting = lost.core.abandon(error);
    this.#tell(lost.embeddings?.abandon(error) ?? []);
    await lost.dispose().catch(() => {}); // it is lost anyway
    if (!this.#proved) throw notReplaced('was lost again at once', error);
    this.#proved = false;
    const opened = await this.#open().catch((cause: unknown) => {
      throw notReplaced(
        `was lost and could not be replaced (${cause instanceof Error ? cause.message : cause})`,
        error,
      );
    });
    opened.core.adopt(waiting);
    this.#opened = opened;
    this.#send({ type: 'reloaded', info: opened.info, error: errorToData(error) });
    this.#readUnread(opened);
  }

  #readUnread(opened: OpenedCore): void {
    const messages = this.#unread;
    this.#unread = [];
    for (const message of messages) this.#handle(opened, message);
  }

  #handle(opened: OpenedCore, message: Exclude<ToWorker, { type: 'ping' }>): void {
    const { core, embeddings } = opened;
    if (message.type === 'generate') this.#submit(opened, message);
    else if (message.type === 'embed') this.#embed(embeddings, message);
    else if (message.type === 'close') this.#closing = true;
    else if (message.type === 'stats') this.#send({ type: 'answer', id: message.id, answer: core.stats });
    else if (message.type === 'slot') this.#errands.push(() => this.#answer(message));
    else {
      const sequence = this.#sequences.get(message.id);
      if (sequence) core.cancel(sequence);
      embeddings?.cancel(message.id);
    }
    this.#wake();
  }

  async #answer(message: Extract<ToWorker, { type: 'slot' }>): Promise<void> {
    const { id } = message;
    const { core, slotFolder } = this.#opened!;
    try {
      this.#send({ type: 'answer', id, answer: await answerSlot(core, slotFolder, message) });
    } catch (error) {
      this.#send({ type: 'failed', id, error: errorToData(error) });
      if (isLoss(error)) await this.#replace(this.#opened!, error);
    }
  }

  #embed(embeddings: EmbeddingQueue | undefined, { id, texts, raw }: Extract<ToWorker, { type: 'embed' }>): void {
    try {
      if (!embeddings) throw generatesOnly();
      embeddings.add(id, texts, raw);
    } catch (error) {
      this.#send({ type: 'failed', id, error: errorToData(error) });
    }
  }

  #tell(outcomes: readonly EmbeddingOutcome[]): void {
    for (const outcome of outcomes) {
      const { id } = outcome;
      if ('error' in outcome) this.#send({ type: 'failed', id, error: errorToData(outcome.error) });
      else this.#send({ type: 'answer', id, answer: outcome.vectors });
    }
  }

  #submit(
    { core, embeddings }: OpenedCore,
    { ids, prompt, options: sent, bias, cancelled }: Extract<ToWorker, { type: 'generate' }>,
  ): void {
    const options = bias ? { ...sent, sampling: { ...sent.sampling, logitBias: receivedBias(bias) } } : sent;
    const emits = ids.map((id) => (outcome: Outcome) => {
      this.#add('error' in outcome ? { id, error: errorToData(outcome.error) } : { id, event: outcome.event });
      if ('error' in outcome || 'finishReason' in outcome.event) this.#sequences.delete(id);
    });
    try {
      if (embeddings) throw embedsOnly();
      for (const [i, sequence] of core.submitBranches(prompt, options, emits).entries()) {
        this.#sequences.set(ids[i]!, sequence);
        if (cancelled) core.cancel(sequence);
      }
    } catch (error) {
      for (const id of ids) this.#add({ id, error: errorToData(error) });
    }
  }

  /** The tokens of a step are chosen in one go, and sent when that is over. */
  #add(outcome: RequestOutcome): void {
    this.#outcomes.push(outcome);
    if (this.#outcomes.length > 1) return;
    queueMicrotask(() => {
      this.#send({ type: 'outcomes', outcomes: this.#outcomes });
      this.#outcomes = [];
    });
  }
}

const generatesOnly = (): QuernError =>
  new QuernError('no-embeddings', 'The model was loaded to generate, and makes no vectors of texts.', {
    remedy: 'Load it for embeddings.',
  });

const embedsOnly = (): QuernError =>
  new QuernError('no-logits', 'The model was loaded to make vectors of texts, and generates nothing.');

const notReplaced = (what: string, cause: QuernError): QuernError =>
  new QuernError('engine-device-lost', `The engine's device ${what}: ${cause.message}`, {
    remedy: 'Start the engine again, perhaps on another device.',
    cause,
  });
