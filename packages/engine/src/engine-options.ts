// What callers say to an engine: when it starts, and with each request.
import type { QuernError } from '@quern/errors';
import type { AdapterFile, EngineInfo, EngineOptions } from './protocol.ts';
import type { GenerateOptions } from './request.ts';

export interface StartOptions extends EngineOptions {
  /** Called while the weights arrive. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
  /**
   * Called when the device was lost and the model has been loaded again; requests that were running have failed with
   * `error`.
   */
  readonly onReload?: (error: QuernError, info: EngineInfo) => void;
  /**
   * Milliseconds for which its thread may owe answers and say nothing; then it hangs, and is ended. A step in it must be shorter: of a
   * large model on a slow device it takes minutes, the first of a prompt above all. 0: for ever. Default: ten minutes.
   */
  readonly silenceMs?: number;
  /** Milliseconds that `stats` waits for the step that runs. Default 4000. */
  readonly answerMs?: number;
}

export interface CallOptions extends GenerateOptions {
  /** Ends the generation with finish reason `cancelled`. */
  readonly signal?: AbortSignal;
}

/** An adapter as requests know it. */
export interface LoadedAdapter extends AdapterFile {
  readonly id: number;
}
