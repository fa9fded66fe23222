// Work on long texts, on a thread that starts when it is first needed. One piece at a time: what waits is not copied yet, and
// goes when its client does.
import type { Worker } from 'node:worker_threads';
import { type ErrorData, errorFromData } from '@quern/engine';
import { QuernError } from '@quern/errors';
import type { LoadOverride } from '@quern/models';
import type { EncodeOptions, RenderChatOptions, TextPair } from '@quern/tokenizer';
import { spawnWorker } from '@quern/workers';

export type TextJob =
  | { readonly type: 'encode'; readonly texts: readonly string[]; readonly options: EncodeOptions }
  | { readonly type: 'pairs'; readonly first: string; readonly seconds: readonly string[] }
  | { readonly type: 'render'; readonly options: RenderChatOptions };

export type TextResult = readonly Int32Array[] | readonly TextPair[] | string;
export type TextAnswer = { readonly result: TextResult } | { readonly error: ErrorData };

/** Where the tokenizer is. */
export interface TextWorkerData {
  readonly path: string;
  readonly override?: LoadOverride;
}

interface Waiting {
  readonly job: TextJob;
  resolve(result: TextResult): void;
  reject(error: unknown): void;
}

export class TextThread {
  readonly #data: TextWorkerData;
  readonly #waiting: Waiting[] = [];
  #worker: Worker | undefined;
  #atWork: Waiting | undefined;

  constructor(data: TextWorkerData) {
    this.#data = data;
  }

  get isStarted(): boolean {
    return this.#worker !== undefined;
  }

  /** @throws QuernError those of `Tokenizer.encode` and of opening a model, `text-thread-ended` */
  encode(texts: readonly string[], options: EncodeOptions, signal: AbortSignal): Promise<readonly Int32Array[]> {
    return this.#ask({ type: 'encode', texts, options }, signal) as Promise<readonly Int32Array[]>;
  }

  /** One text with each of others. @throws QuernError as `encode` does */
  pairs(first: string, seconds: readonly string[], signal: AbortSignal): Promise<readonly TextPair[]> {
    return this.#ask({ type: 'pairs', first, seconds }, signal) as Promise<readonly TextPair[]>;
  }

  /** @throws QuernError those of `renderChat`, `text-thread-ended` */
  render(options: RenderChatOptions, signal: AbortSignal): Promise<string> {
    return this.#ask({ type: 'render', options }, signal) as Promise<string>;
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #ask(job: TextJob, signal: AbortSignal): Promise<TextResult> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const leave = (): void => {
        const at = this.#waiting.indexOf(waiting);
        if (at >= 0) this.#waiting.splice(at, 1);
        reject(signal.reason);
      };
      const settled =
        <Value>(settle: (value: Value) => void) =>
        (value: Value): void => {
          signal.removeEventListener('abort', leave);
          settle(value);
        };
      const waiting: Waiting = { job, resolve: settled(resolve), reject: settled(reject) };
      signal.addEventListener('abort', leave);
      this.#waiting.push(waiting);
      this.#next();
    });
  }

  #next(): void {
    if (this.#atWork) return;
    this.#atWork = this.#waiting.shift();
    if (!this.#atWork) return;
    this.#worker ??= this.#start();
    this.#worker.postMessage(this.#atWork.job);
  }

  #start(): Worker {
    const worker = spawnWorker(new URL('./text-worker.ts', import.meta.url), import.meta.url, {
      workerData: this.#data,
    });
    // It keeps no process alive: whoever waits for an answer has a connection.
    worker.unref();
    const answer = (settle: (waiting: Waiting) => void): void => {
      const done = this.#atWork;
      this.#atWork = undefined;
      if (done) settle(done);
      this.#next();
    };
    worker.on('message', (message: TextAnswer) =>
      answer((done) => ('error' in message ? done.reject(errorFromData(message.error)) : done.resolve(message.result))),
    );
    let cause: unknown;
    worker.on('error', (error) => (cause = error));
    worker.on('exit', () => {
      // The next text gets a new thread.
      if (this.#worker === worker) this.#worker = undefined;
      answer((done) =>
        done.reject(new QuernError('text-thread-ended', 'The thread that works on long texts ended.', { cause })),
      );
    });
    return worker;
  }
}
