// The one error path of every command: what it threw becomes a message and an exit code here and nowhere else.
import { QuernError } from '@quern/errors';
import { painted } from './colour.ts';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import { guardPipes, printJson, printNote } from './output.ts';

export interface CommandContext {
  /** Aborted by the first Ctrl-C or SIGTERM; a second one ends the process at once. */
  signal: AbortSignal;
}

export interface CommandOptions {
  /** Errors are one JSON document `{"error": {code, message, …}}` on stdout instead of a line on stderr. */
  json?: boolean;
}

/** How long an unfinished worker or socket may keep a failed process alive. */
const lingerMs = 2000;

/**
 * Runs a command to its end and sets `process.exitCode` (see `exitCodes`). Never rejects.
 *
 * @param command its number, if it returns one, is the exit code.
 */
export async function runCommand(
  command: (context: CommandContext) => Promise<number | undefined>,
  options: CommandOptions = {},
): Promise<void> {
  guardPipes();
  const abort = new AbortController();
  const interrupt = (): void => {
    if (abort.signal.aborted) process.exit(exitCodes.interrupted);
    abort.abort(new QuernError('interrupted', 'Interrupted.'));
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  try {
    process.exitCode = (await command({ signal: abort.signal })) ?? exitCodes.ok;
  } catch (error) {
    report(error, options.json ?? false);
    process.exitCode = exitCodeOf(error);
    setTimeout(() => process.exit(), lingerMs).unref();
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}

function report(error: unknown, json: boolean): void {
  if (error instanceof QuernError) {
    if (json) printJson({ error });
    else printNote(`${painted(['bold', 'red'], 'error:', process.stderr)} ${error.describe()}`);
    return;
  }
  const { message, stack } = error instanceof Error ? error : { message: String(error), stack: undefined };
  if (json) printJson({ error: { code: 'internal', message } });
  printNote(`internal error, please report it: ${stack ?? message}`);
}
