// Threads over one shared memory. A job is a kernel, its words and a number of items, cut into chunks; a dispatch is a few
// jobs that do not depend on each other, their chunks numbered one job after the other. Every thread, the caller's
// included, takes chunks until none is left. No thread waits while there is work, and nobody is woken for one chunk.
//
// A chunk is taken by lowering `chunksLeft` with a compare-exchange, and its number follows from the value found there. So
// a thread that wakes late, when the next dispatch is already posted, simply helps with that one: it reads kernel and words
// only after it holds a chunk, and they cannot change while it does.
/** What all threads share, as I32 words from the control block's address on; the busy ones each on a cache line. */
const SEQUENCE = 0;
const CHUNKS_LEFT = 16;
const CHUNKS_UNFINISHED = 32;
const STOPPED = 48;
const FAILED = 49;
const CHUNKS = 64;
/** Jobs of a dispatch, each with its kernel, items, and words. */
const JOBS = 80;
export const MAX_JOBS = 4;
const JOB_WORDS = 48;
const KERNEL = 0;
const ITEMS = 1;
const ITEMS_PER_CHUNK = 2;
/** Number of the job's first chunk in the dispatch. */
const FIRST_CHUNK = 3;
const WORDS = 16;
const CONTROL_WORDS = JOBS + MAX_JOBS * JOB_WORDS;

export const CONTROL_BYTES = CONTROL_WORDS * 4;
export const SCRATCH_BYTES = 32 * 1024;

export type Kernel = (words: number, begin: number, end: number, scratch: number) => void;

type Decode = (type: number, src: number, dst: number, blocks: number) => number;

/** A thread's place in the crew; plain data, passed to workers. */
export interface Seat {
  readonly memory: WebAssembly.Memory;
  readonly module: WebAssembly.Module;
  readonly controlAddress: number;
  readonly scratchAddress: number;
  /** Time to look for a change before sleeping; 0 when there are more threads than cores. */
  readonly spinMs: number;
}

export interface Job {
  readonly kernel: string;
  /** The kernel's 32-bit words, 32 at most. */
  readonly words: readonly number[];
  readonly items: number;
  readonly itemsPerChunk: number;
}

export class CrewMember {
  /** The order of the module numbers kernels for all threads. */
  readonly #kernelNumbers: ReadonlyMap<string, number>;
  readonly #kernels: readonly Kernel[];
  readonly #decode: Decode;
  readonly #takesIntegers: (type: number) => number;
  readonly #areFinite: (halves: number, count: number) => number;
  readonly #control: Int32Array<ArrayBufferLike>;
  readonly #seat: Seat;

  constructor(seat: Seat) {
    this.#seat = seat;
    this.#control = new Int32Array(seat.memory.buffer, seat.controlAddress, CONTROL_WORDS);
    const { exports } = new WebAssembly.Instance(seat.module, { env: { memory: seat.memory } });
    const names = WebAssembly.Module.exports(seat.module).map(({ name }) => name);
    this.#kernelNumbers = new Map(names.map((name, number) => [name, number]));
    this.#kernels = names.map((name) => exports[name] as Kernel);
    this.#decode = exports.decode as Decode;
    this.#takesIntegers = exports.takesIntegers as (type: number) => number;
    this.#areFinite = exports.areFinite as (halves: number, count: number) => number;
  }

  /** Whether weights of this `ggml_type` can be decoded. */
  decodes(type: number): boolean {
    return this.#decode(type, 0, 0, 0) !== 0;
  }

  /** Whether weights of this `ggml_type` can be multiplied with activations of 8 bits. */
  takesIntegers(type: number): boolean {
    return this.#takesIntegers(type) !== 0;
  }

  /** Whether `count` F16 numbers are all finite. */
  areFinite(halves: number, count: number): boolean {
    return this.#areFinite(halves, count) !== 0;
  }

  /** Runs up to MAX_JOBS jobs to their end, together with the workers. Returns false when a thread failed. */
  run(...jobs: readonly Job[]): boolean {
    const control = this.#control;
    let chunks = 0;
    let at = JOBS;
    for (const { kernel, words, items, itemsPerChunk } of jobs) {
      control[at + KERNEL] = this.#numberOf(kernel);
      control[at + ITEMS] = items;
      control[at + ITEMS_PER_CHUNK] = itemsPerChunk;
      control[at + FIRST_CHUNK] = chunks;
      for (let i = 0; i < words.length; i++) control[at + WORDS + i] = words[i]!;
      chunks += Math.ceil(items / itemsPerChunk);
      at += JOB_WORDS;
    }
    if (jobs.length < MAX_JOBS) control[at + FIRST_CHUNK] = chunks; // no chunk is of a job after the last
    control[CHUNKS] = chunks;
    Atomics.store(control, CHUNKS_UNFINISHED, chunks);
    Atomics.store(control, CHUNKS_LEFT, chunks);
    if (chunks > 1) {
      Atomics.add(control, SEQUENCE, 1);
      Atomics.notify(control, SEQUENCE, chunks - 1);
    }
    this.#takeChunks();
    for (let left: number; (left = Atomics.load(control, CHUNKS_UNFINISHED)) > 0; )
      this.#await(CHUNKS_UNFINISHED, left);
    return Atomics.load(control, FAILED) === 0;
  }

  /** A missing number would read as 0 in the shared words: another kernel would run. */
  #numberOf(kernel: string): number {
    const number = this.#kernelNumbers.get(kernel);
    if (number !== undefined) return number;
    throw new Error(`The WebAssembly module has no kernel ${kernel}: it was built from other sources than these.`);
  }

  /** A worker's life: takes chunks until `stop`. */
  serve(): void {
    const control = this.#control;
    for (let seen = 0; !Atomics.load(control, STOPPED); ) {
      this.#await(SEQUENCE, seen);
      seen = Atomics.load(control, SEQUENCE);
      this.#takeChunks();
    }
  }

  /** Ends `serve` in every worker. */
  stop(): void {
    Atomics.store(this.#control, STOPPED, 1);
    Atomics.add(this.#control, SEQUENCE, 1);
    Atomics.notify(this.#control, SEQUENCE);
  }

  #takeChunks(): void {
    const control = this.#control;
    for (let left: number; (left = Atomics.load(control, CHUNKS_LEFT)) > 0; ) {
      if (Atomics.compareExchange(control, CHUNKS_LEFT, left, left - 1) !== left) continue;
      try {
        this.#runChunk(control[CHUNKS]! - left); // the first one first: memory is read forwards twice as fast
      } catch {
        Atomics.store(control, FAILED, 1); // a trap in a kernel; the caller of `run` throws
      }
      if (Atomics.sub(control, CHUNKS_UNFINISHED, 1) === 1) Atomics.notify(control, CHUNKS_UNFINISHED);
    }
  }

  #runChunk(chunk: number): void {
    const control = this.#control;
    let job = JOBS;
    while (job + JOB_WORDS < CONTROL_WORDS && chunk >= control[job + JOB_WORDS + FIRST_CHUNK]!) job += JOB_WORDS;
    const itemsPerChunk = control[job + ITEMS_PER_CHUNK]!;
    const begin = (chunk - control[job + FIRST_CHUNK]!) * itemsPerChunk;
    const end = Math.min(begin + itemsPerChunk, control[job + ITEMS]!);
    const kernel = this.#kernels[control[job + KERNEL]!]!;
    kernel(this.#seat.controlAddress + (job + WORDS) * 4, begin, end, this.#seat.scratchAddress);
  }

  /** Returns once the word differs from `value`, or sometimes earlier. */
  #await(word: number, value: number): void {
    const control = this.#control;
    if (this.#seat.spinMs > 0) {
      const deadline = performance.now() + this.#seat.spinMs;
      do {
        for (let i = 0; i < 50; i++) if (Atomics.load(control, word) !== value) return;
      } while (performance.now() < deadline);
    }
    Atomics.wait(control, word, value);
  }
}
