// A model in a worker, as the page sees it: a load that reports, then replies that stream.
import type { ErrorData } from '@quern/engine';
import type {
  FromWorker,
  LoadedModel,
  LoadRequest,
  ReplyFigures,
  ReplyRequest,
  ToWorker,
  TriedStep,
} from '../protocol.ts';

export interface LoadReports {
  onTried(tried: TriedStep): void;
  onProgress(doneBytes: number, totalBytes: number): void;
}

/** A load or a reply that failed, with what the worker said of it. */
export class WorkerFailure extends Error {
  readonly data: ErrorData;
  constructor(data: ErrorData) {
    super(data.message);
    this.data = data;
  }
}

export class ModelWorker {
  readonly #worker = new Worker(new URL('../worker/worker.js', import.meta.url), { type: 'module' });
  /** Who waits for the next messages. */
  #receive: (message: FromWorker) => void = () => {};
  #fail: (failure: WorkerFailure) => void = () => {};
  /** Set once nothing can be asked any more. */
  #broken?: WorkerFailure;

  constructor() {
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (data.type === 'broken') this.#break(data.error);
      else if (data.type === 'refused') this.#fail(new WorkerFailure(data.error));
      else this.#receive(data);
    };
    this.#worker.onerror = (event) => {
      const message = `The worker failed: ${event.message || 'its code does not load'}`;
      this.#break({ code: 'web-worker-failed', message, remedy: 'Load the page again.' });
    };
  }

  get broken(): boolean {
    return this.#broken !== undefined;
  }

  /** @throws WorkerFailure */
  load(request: LoadRequest, { onTried, onProgress }: LoadReports): Promise<LoadedModel> {
    return this.#ask({ type: 'load', ...request }, (message, done) => {
      if (message.type === 'tried') onTried(message);
      else if (message.type === 'progress') onProgress(message.doneBytes, message.totalBytes);
      else if (message.type === 'loaded') done(message.model);
    });
  }

  /** One at a time. @throws WorkerFailure; after one with `broken` the model must be loaded again */
  reply(request: ReplyRequest, onText: (text: string) => void): Promise<ReplyFigures> {
    return this.#ask({ type: 'reply', ...request }, (message, done) => {
      if (message.type === 'text') onText(message.text);
      else if (message.type === 'replied') done(message.figures);
    });
  }

  /** Ends the reply under way, which then settles with what there is. */
  stop(): void {
    this.#worker.postMessage({ type: 'stop' } satisfies ToWorker);
  }

  /** Ends the worker; its memory is free. */
  close(): void {
    this.#worker.terminate();
    this.#break({ code: 'web-closed', message: 'The model has been closed.' });
  }

  #ask<Result>(
    request: ToWorker,
    receive: (message: FromWorker, done: (result: Result) => void) => void,
  ): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.#broken) throw this.#broken;
      this.#receive = (message) => receive(message, resolve);
      this.#fail = reject;
      this.#worker.postMessage(request);
    });
  }

  #break(error: ErrorData): void {
    this.#broken ??= new WorkerFailure(error);
    this.#fail(this.#broken);
  }
}
