// What a pool and its workers say to each other, and how a worker's memory is laid out.
import type { DType } from '../dtype.ts';
import { IMPORTANCE_COLS, SLOT_BYTES } from './pieces.ts';
import { type BlockReport, CHUNK_WEIGHTS, type Importance } from './transcode-blocks.ts';

/** Two slots per worker: while one is computed, the other is read into or written from. */
export const SLOTS = 2;

/** First address for data; the module's own (constants, scratch and tables of the searches) must end below. */
export const DATA_START = 36 * 65536;
export const STAGING = DATA_START;
export const sourceAddress = (slot: number): number => DATA_START + CHUNK_WEIGHTS * 4 + 2 * slot * SLOT_BYTES;
export const targetAddress = (slot: number): number => sourceAddress(slot) + SLOT_BYTES;
/** Where the importance of a slot's columns lies, floats. */
export const importanceAddress = (slot: number): number => sourceAddress(SLOTS) + 4 * slot * IMPORTANCE_COLS;
/** Bytes of one worker's memory, about 14.3 MiB; 4 of them are touched only when there is importance, 2 by the IQ types. */
export const MEMORY_BYTES = importanceAddress(SLOTS);

export interface WorkerStart {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
}

/** To the worker: the source slot is filled. */
export interface Request {
  slot: number;
  from: DType['name'];
  to: DType['name'];
  weights: number;
  /** Given when the importance of the slot's columns lies beside it. */
  importance?: Omit<Importance, 'at'>;
}

/** From the worker: ready for requests, or the target slot is filled. */
export type Reply = { ready: true } | { slot: number; report: BlockReport };
