// The one error path of every command: what it threw becomes a message and an exit code here and nowhere else.
import { QuernError } from '@quern/errors';
import { painted } from './colour.ts';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import { describeInterruption, interruptionOf } from './interruption.ts';
import { endStatus, guardPipes, printJson, printNote, toJson } from './output.ts';
import { printableLines } from './printable.ts';

export interface CommandContext {
  /** Aborted by the first Ctrl-C or SIGTERM; a second one ends the process at once. */
  signal: AbortSignal;
  /** Names files and folders that, should they be there when the command is interrupted, hold what is done. */
  onUnfinished: (...paths: string[]) => void;
}

export interface CommandOptions {
  /** Errors are one JSON document `{"error": {code, message, …}}` on stdout instead of a line on stderr. */
  json?: boolean;
  /** Lines below the message when the command line was wrong. */
  usage?: string;
}

/** How long an unfinished worker or socket may keep a failed process alive. */
const lingerMs = 2000;

/**
 * Runs a command to its end and sets `process.exitCode` (see `exitCodes`). Never rejects.
 *
 * @param command its number, if it returns one, is the exit code; one that returns `interrupted` has printed its results.
 */
export async function runCommand(
  command: (context: CommandContext) => Promise<number | undefined>,
  options: CommandOptions = {},
): Promise<void> {
  guardPipes();
  const { json = false } = options;
  const abort = new AbortController();
  const { signal } = abort;
  const unfinished = new Set<string>();
  const note = (text: string): void => {
    endStatus();
    printNote(json ? toJson({ note: text }) : text);
  };
  const noteInterruption = (): void => note(describeInterruption(interruptionOf(unfinished)));
  const interrupt = (signalName: NodeJS.Signals): void => {
    if (signal.aborted) {
      noteInterruption();
      process.exit(exitCodes.interrupted);
    }
    note(`Stopping after what is at work. ${signalName === 'SIGINT' ? 'Ctrl-C' : signalName} again ends it at once.`);
    abort.abort(new QuernError('interrupted', 'Interrupted.'));
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  try {
    const onUnfinished = (...paths: string[]): void => {
      for (const path of paths) unfinished.add(path);
    };
    process.exitCode = (await command({ signal, onUnfinished })) ?? exitCodes.ok;
    if (process.exitCode === exitCodes.interrupted) noteInterruption();
  } catch (error) {
    process.exitCode = isInterruption(error, signal) ? exitCodes.interrupted : exitCodeOf(error);
    if (process.exitCode !== exitCodes.interrupted) report(error, options);
    else if (json)
      printJson({ error: { code: 'interrupted', message: 'Interrupted.', ...interruptionOf(unfinished) } });
    else noteInterruption();
    setTimeout(() => process.exit(), lingerMs).unref();
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}

/** Whether `error` is what the abort made of the work: the reason of the signal, or what a library wraps it in. */
function isInterruption(error: unknown, signal: AbortSignal): boolean {
  if (error instanceof QuernError && error.code === 'interrupted') return true;
  if (!signal.aborted) return false;
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (cause === signal.reason || cause.name === 'AbortError') return true;
  return false;
}

function report(error: unknown, { json, usage }: CommandOptions): void {
  endStatus();
  if (error instanceof QuernError) {
    if (json) printJson({ error });
    else printNote(`${painted(['bold', 'red'], 'error:', process.stderr)} ${printableLines(error.describe())}`);
    if (!json && usage && exitCodeOf(error) === exitCodes.usage) printNote(`\n${usage}`);
    return;
  }
  const { message, stack } = error instanceof Error ? error : { message: String(error), stack: undefined };
  if (json) printJson({ error: { code: 'internal', message } });
  printNote(`internal error, please report it: ${stack ?? message}`);
}
