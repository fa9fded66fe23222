// Everywhere that a text read so far can be: threads, each a place within a rule and the stack above which it stands.
import type { Frame } from './frame.ts';
import type { LocalSet } from './local-set.ts';

export interface Thread {
  readonly set: LocalSet;
  readonly frame: Frame;
}

export class Configuration {
  readonly threads: readonly Thread[];
  /** The text may end here. */
  readonly complete: boolean;
  /** A caller that is not known (`hole`) goes on from here. */
  readonly leaves: boolean;
  /** Where one byte alone can be read: its class; -1 elsewhere. */
  readonly onlyClass: number;
  /** Behind that byte; undefined where nobody asked yet. */
  next: Configuration | undefined;
  /** By class of byte, for others; undefined where nobody asked yet, as a whole too: most are where a token ends, and lead no further. */
  row: (Configuration | undefined)[] | undefined;

  constructor(threads: readonly Thread[], complete: boolean, leaves: boolean) {
    this.threads = threads;
    this.complete = complete;
    this.leaves = leaves;
    this.onlyClass = threads.length === 1 ? threads[0]!.set.onlyClass : -1;
  }

  /** Nothing can follow. */
  get ended(): boolean {
    return this.threads.length === 0;
  }

  get dead(): boolean {
    return this.ended && !this.complete && !this.leaves;
  }
}
