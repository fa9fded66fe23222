// Progress of one long step, on stderr, in the form that its reader can use:
//   tty    one line that rewrites itself            quantize  ████████░░░░░░░░░░░░   41%  3.20 of 7.80 GiB  212 MiB/s  ETA 22 s  blk.11.attn_q.weight
//   log    a plain line every ten seconds           (a CI log, a file)
//   json   one object per line and half second      {"progress":"quantize","unit":"bytes","done":…,"total":…,"perSecond":…,"etaMs":…,"label":…}
//   silent notes only
import { endStatus, printNote, toJson, writeStatus } from './output.ts';
import { describeProgress, progressLine } from './progress-line.ts';
import type { ProgressUnit } from './progress-units.ts';
import { outputWidth } from './width.ts';

export type ProgressMode = 'tty' | 'log' | 'json' | 'silent';

export interface ProgressOptions {
  /** A word: `convert`, `quantize`, `download`. */
  title: string;
  /** What `done` and `total` count; names the rate. Default bytes. */
  unit?: ProgressUnit;
  /** When known. May also come later, with an update. */
  total?: number;
  /** Default: `tty` when stderr is a terminal, otherwise `log`. */
  mode?: ProgressMode;
}

export interface ProgressState {
  /** Units done so far (absolute, not the difference). */
  done: number;
  total?: number;
  /** What is being worked on, e.g. a tensor's name. */
  label?: string;
}

export interface Progress {
  /** Cheap: call it as often as you like, it prints at its own pace. */
  update(state: ProgressState): void;
  /** A line that stays, whatever the mode (`{"note": …}` in JSON). */
  note(text: string): void;
  /** Prints the final state, unless nothing was ever done; later updates are ignored. Safe to call twice. */
  finish(): void;
}

/** `--json` and the terminal decide how progress looks. */
export const progressMode = (options: { json?: boolean; quiet?: boolean }): ProgressMode =>
  options.quiet ? 'silent' : options.json ? 'json' : process.stderr.isTTY ? 'tty' : 'log';

const intervalMs: Record<ProgressMode, number> = { tty: 100, log: 10_000, json: 500, silent: Number.POSITIVE_INFINITY };
/** The rate is that of the last seconds, so that the ETA follows a change of pace. */
const rateWindowMs = 10_000;

export function createProgress(options: ProgressOptions): Progress {
  const mode = options.mode ?? progressMode({});
  const startMs = performance.now();
  const samples: { ms: number; done: number }[] = [];
  let state: ProgressState = { done: 0, total: options.total };
  let lastMs = startMs;
  let begun = false;
  let finished = false;

  const figures = () => {
    const now = performance.now();
    const first = samples[0] ?? { ms: startMs, done: 0 };
    const perSecond = now > first.ms ? ((state.done - first.done) / (now - first.ms)) * 1000 : 0;
    const left = state.total === undefined ? undefined : state.total - state.done;
    const etaMs = left !== undefined && perSecond > 0 ? (left / perSecond) * 1000 : undefined;
    return { perSecond, etaMs, elapsedMs: now - startMs };
  };

  const print = (last: boolean): void => {
    if (mode === 'silent') return;
    const { perSecond, etaMs, elapsedMs } = figures();
    const { title, unit = 'bytes' } = options;
    const { done, total, label } = state;
    if (mode === 'json') {
      const rate = Number(perSecond.toPrecision(4));
      printNote(toJson({ progress: title, unit, done, total, perSecond: rate, etaMs, elapsedMs, label }));
      return;
    }
    const line = last
      ? { title, unit, done, total, perSecond: (done / elapsedMs) * 1000, elapsedMs }
      : { title, unit, done, total, label, perSecond, etaMs };
    if (mode === 'log') printNote(describeProgress(line));
    else writeStatus(progressLine(line, ttyColumns()));
    if (last) endStatus();
  };

  return {
    update(next) {
      if (finished) return;
      begun = true;
      state = { ...state, ...next };
      const now = performance.now();
      if (now - lastMs < intervalMs[mode]) return;
      lastMs = now;
      while (samples.length > 1 && now - samples[0]!.ms > rateWindowMs) samples.shift();
      print(false);
      samples.push({ ms: now, done: state.done });
    },
    note(text) {
      if (mode === 'json') return printNote(toJson({ note: text }));
      printNote(text);
    },
    finish() {
      if (finished) return;
      finished = true;
      if (begun) print(true);
    },
  };
}

/** One less than there are: a full line makes some terminals begin the next. */
const ttyColumns = (): number => outputWidth(process.stderr) - 1;
