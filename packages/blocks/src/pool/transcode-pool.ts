// Bulk coding of weights on several threads. The caller moves the bytes (from a file, to a file), the pool says where
// in memory they belong: straight in the memory of the thread that computes, so nothing is copied or posted.
import { availableParallelism } from 'node:os';
import { QuernError } from '@quern/errors';
import { codecOf } from '../codecs.ts';
import type { DType } from '../dtype.ts';
import { checkImportance } from '../importance.ts';
import { compileKernels, instantiateKernels, type Kernels, kernelMemory } from '../wasm/kernels.ts';
import { IMPORTANCE_COLS, type Matrix, type Piece, pieces, slotRows } from './pieces.ts';
import { PoolThread } from './pool-thread.ts';
import { DATA_START, SLOTS } from './protocol.ts';
import { canTranscode } from './transcode-blocks.ts';

/** A matrix to transcode, [rows, cols], `from` one stored type `to` another (or the same: then bytes are copied). */
export type TranscodeTask = Matrix;

export interface TranscodeReport {
  /** NaN and infinities among the source weights. Blocks that contain them are written, but mean nothing. */
  nonFinite: number;
  /** The first of them in row-major order. */
  firstNonFinite?: { row: number; col: number };
  /** Weights that were finite and are not any more: too large for F16, or for the F16 scale of their block. */
  f16Overflows: number;
}

/** Puts the source bytes of `piece` into `into`, all of it. The memory is shared; it is lent until the promise settles. */
export type Fill = (into: Uint8Array, piece: Piece) => Promise<void> | void;
/** Takes the result of `piece` out of `out`. The memory is shared; it is lent until the promise settles. */
export type Drain = (out: Uint8Array, piece: Piece) => Promise<void> | void;

interface Slot {
  thread: PoolThread;
  index: number;
}

interface Queued {
  resolve(slot: Slot): void;
  reject(error: unknown): void;
}

interface TaskImportance {
  columns: Float32Array;
  weighting: 'block' | 'row';
}

/** Importance as far as it decides anything. @throws QuernError `row-too-wide` and what `checkImportance` throws */
function importanceOf({ from, to, cols, importance: columns }: TranscodeTask): TaskImportance | undefined {
  if (from === to) return undefined;
  const codec = codecOf(to);
  checkImportance(to, codec, cols, columns);
  if (!columns || !codec.weighting) return undefined;
  if (codec.weighting === 'row' && cols > IMPORTANCE_COLS) {
    throw new QuernError('row-too-wide', `A row of ${cols} weights is too wide for ${to.name} with importance.`, {
      remedy: `Use a K-quant, or leave the importance matrix out for rows of more than ${IMPORTANCE_COLS} weights.`,
    });
  }
  return { columns, weighting: codec.weighting };
}

/** Threads that transcode weights; about 8 MiB of memory each, 12 for the widest rows under importance. */
export class TranscodePool {
  readonly threads: number;
  readonly #kernels: Kernels;
  readonly #members: PoolThread[] = [];
  readonly #queue: Queued[] = [];
  #ended?: QuernError;

  private constructor(module: WebAssembly.Module, threads: number) {
    this.threads = threads;
    this.#kernels = instantiateKernels(module, kernelMemory(DATA_START));
    for (let i = 0; i < threads; i++) this.#members.push(new PoolThread(module, (error) => this.#end(error)));
  }

  /**
   * Starts `threads` threads (default: one per processor).
   * @throws QuernError `transcode-worker-died` when one cannot start
   */
  static async create({ threads = availableParallelism() }: { threads?: number } = {}): Promise<TranscodePool> {
    if (!Number.isInteger(threads) || threads < 1) {
      throw new QuernError('thread-count', `${threads} is no number of threads.`, { remedy: 'Use at least 1.' });
    }
    const pool = new TranscodePool(await compileKernels(), threads);
    try {
      await Promise.all(pool.#members.map((thread) => thread.ready));
    } catch (error) {
      await pool.close();
      throw error;
    }
    return pool;
  }

  /** Whether weights can be coded `from` one type `to` another. */
  supports(from: DType, to: DType): boolean {
    return canTranscode(this.#kernels, from, to);
  }

  /** Rows that `transcode` handles in one piece; at least 1, since longer rows are cut. */
  maxRows(from: DType, to: DType, cols: number): number {
    return slotRows(from, to, cols);
  }

  /**
   * Transcodes a matrix of any size. It is cut into pieces (whole rows where they fit, `maxRows` at most; else parts of a
   * row); for each, `fill` is called, then `drain`, several pieces at a time and in no certain order. `piece` tells which
   * bytes are meant. The bytes do not depend on the number of threads. Tasks may run side by side. Importance is that of
   * one matrix: a stack of matrices with an importance each (experts) is as many tasks.
   *
   * Once it rejects, no `fill` or `drain` is running or will be called.
   * @throws what `fill` and `drain` throw; QuernError `transcode-unsupported`, `row-not-whole-blocks`,
   *   `row-too-wide`, `transcode-worker-died`, `transcode-pool-closed`, and what `checkImportance` throws
   */
  async transcode(task: TranscodeTask, fill: Fill, drain: Drain): Promise<TranscodeReport> {
    const { from, to, cols } = task;
    if (!this.supports(from, to)) {
      throw new QuernError(
        'transcode-unsupported',
        `Weights stored as ${from.name} cannot be written as ${to.name} yet.`,
      );
    }
    const importance = importanceOf(task);
    const todo = pieces({ ...task, importance: importance?.columns });
    const report: TranscodeReport = { nonFinite: 0, f16Overflows: 0 };
    let firstIndex = Number.POSITIVE_INFINITY;
    let failure: { error: unknown } | undefined;

    const work = async (): Promise<void> => {
      for (let next = todo.next(); !next.done && !failure; next = todo.next()) {
        const piece = next.value;
        const found = await this.#transcodePiece(task, importance, piece, fill, drain);
        report.nonFinite += found.nonFinite;
        report.f16Overflows += found.f16Overflows;
        if (found.firstNonFinite >= 0) {
          firstIndex = Math.min(firstIndex, piece.row * cols + piece.col + found.firstNonFinite);
        }
      }
    };
    const slots = this.#members.length * SLOTS;
    await Promise.all(
      Array.from({ length: slots }, () =>
        work().catch((error) => {
          failure ??= { error };
        }),
      ),
    );
    if (failure) throw failure.error;
    if (report.nonFinite) report.firstNonFinite = { row: Math.floor(firstIndex / cols), col: firstIndex % cols };
    return report;
  }

  /** Ends the threads; tasks still running reject with `transcode-pool-closed`. */
  async close(): Promise<void> {
    const reason = new QuernError('transcode-pool-closed', 'The threads that code weights were stopped.');
    this.#end(reason);
    await Promise.all(this.#members.map((thread) => thread.terminate(reason)));
  }

  async #transcodePiece(
    { from, to }: TranscodeTask,
    importance: TaskImportance | undefined,
    piece: Piece,
    fill: Fill,
    drain: Drain,
  ) {
    const slot = await this.#acquire();
    const { thread, index } = slot;
    try {
      const source = thread.source(index, piece.sourceBytes);
      await fill(source, piece);
      if (importance) {
        const columns = importance.columns.subarray(piece.col, piece.col + piece.cols);
        thread.importance(index, piece.cols).set(columns);
      }
      const report = await thread.run({
        slot: index,
        from: from.name,
        to: to.name,
        weights: piece.rows * piece.cols,
        importance: importance && { cols: piece.cols, weighting: importance.weighting },
      });
      await drain(from === to ? source : thread.target(index, piece.targetBytes), piece);
      return report;
    } finally {
      this.#release(slot);
    }
  }

  /** A free slot of the thread that has the most of them. */
  #acquire(): Promise<Slot> {
    if (this.#ended) return Promise.reject(this.#ended);
    const slot = this.#takeFree();
    if (slot) return Promise.resolve(slot);
    return new Promise((resolve, reject) => this.#queue.push({ resolve, reject }));
  }

  #takeFree(): Slot | undefined {
    let thread: PoolThread | undefined;
    for (const member of this.#members) {
      if (member.freeSlots.length > (thread?.freeSlots.length ?? 0)) thread = member;
    }
    return thread && { thread, index: thread.freeSlots.pop()! };
  }

  #release({ thread, index }: Slot): void {
    thread.freeSlots.push(index);
    if (this.#ended || this.#queue.length === 0) return;
    this.#queue.shift()!.resolve(this.#takeFree()!);
  }

  /** The pool ends as a whole: one dead thread has lost bytes, and a caller must hear of it at once. */
  #end(error: QuernError): void {
    this.#ended ??= error;
    for (const { reject } of this.#queue.splice(0)) reject(this.#ended);
  }
}
