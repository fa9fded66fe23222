// One worker as the pool sees it: its memory, its slots, the requests it still owes an answer.
import type { Worker } from 'node:worker_threads';
import { QuernError } from '@quern/errors';
import { spawnWorker } from '@quern/workers';
import { kernelMemory } from '../wasm/kernels.ts';
import { SLOT_BYTES } from './pieces.ts';
import {
  importanceAddress,
  MEMORY_BYTES,
  type Reply,
  type Request,
  SLOTS,
  sourceAddress,
  targetAddress,
} from './protocol.ts';
import type { BlockReport } from './transcode-blocks.ts';

interface Waiting {
  resolve(report: BlockReport): void;
  reject(error: unknown): void;
}

/** Key among the waiting for the thread's first sign of life. */
const STARTING = -1;

export class PoolThread {
  /** Settles when the worker answers for the first time, or dies. */
  readonly ready: Promise<void>;
  readonly freeSlots: number[] = Array.from({ length: SLOTS }, (_, slot) => slot);
  readonly #memory = kernelMemory(MEMORY_BYTES);
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #onEnd: (error: QuernError) => void;
  #ended?: QuernError;

  /** @param onEnd called once, when the thread ends for whatever reason */
  constructor(module: WebAssembly.Module, onEnd: (error: QuernError) => void) {
    this.#onEnd = onEnd;
    this.#worker = spawnWorker(new URL('./pool-worker.ts', import.meta.url), import.meta.url, {
      workerData: { module, memory: this.#memory },
    });
    this.ready = new Promise((resolve, reject) => {
      this.#worker.on('message', (reply: Reply) => {
        if ('ready' in reply) {
          this.#waiting.delete(STARTING);
          this.#idle();
          resolve();
        } else {
          this.#answer(reply.slot, reply.report);
        }
      });
      this.#waiting.set(STARTING, { resolve: () => {}, reject });
      this.#worker.on('error', (cause) => this.#end(workerDied(`it threw ${cause}`, cause)));
      this.#worker.on('exit', (code) => this.#end(workerDied(`it exited with code ${code}`)));
    });
    this.ready.catch(() => {}); // whoever awaits it sees the error; nobody needs to
  }

  /** The memory a slot's source bytes belong into. */
  source(slot: number, bytes: number): Uint8Array {
    return this.#view(sourceAddress(slot), bytes);
  }

  /** The memory a slot's result lies in. */
  target(slot: number, bytes: number): Uint8Array {
    return this.#view(targetAddress(slot), bytes);
  }

  /** The memory the importance of a slot's columns belongs into. */
  importance(slot: number, cols: number): Float32Array {
    const bytes = this.#view(importanceAddress(slot), 4 * cols);
    return new Float32Array(bytes.buffer, bytes.byteOffset, cols);
  }

  /** Transcodes what was put into the slot's source. @throws QuernError `transcode-worker-died` */
  run(request: Request): Promise<BlockReport> {
    return new Promise((resolve, reject) => {
      if (this.#ended) return reject(this.#ended);
      this.#waiting.set(request.slot, { resolve, reject });
      this.#worker.ref();
      this.#worker.postMessage(request);
    });
  }

  /** Ends the thread; what still waits for an answer gets `reason`. */
  async terminate(reason: QuernError): Promise<void> {
    this.#end(reason);
    await this.#worker.terminate();
  }

  #end(error: QuernError): void {
    if (this.#ended) return;
    this.#ended = error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    this.#onEnd(error);
  }

  #answer(slot: number, report: BlockReport): void {
    const waiting = this.#waiting.get(slot);
    this.#waiting.delete(slot);
    this.#idle();
    waiting?.resolve(report);
  }

  /** A worker without work does not keep the process alive. */
  #idle(): void {
    if (this.#waiting.size === 0) this.#worker.unref();
  }

  #view(address: number, bytes: number): Uint8Array {
    if (bytes > SLOT_BYTES) throw new RangeError(`${bytes} bytes do not fit a slot of ${SLOT_BYTES}.`);
    return new Uint8Array(this.#memory.buffer, address, bytes);
  }
}

const workerDied = (how: string, cause?: unknown) =>
  new QuernError('transcode-worker-died', `A thread that was coding weights ended: ${how}.`, {
    remedy: 'Run again with fewer threads; if it happens again, report it.',
    cause,
  });
