// What a quern process tells the shell. 70 is EX_SOFTWARE of sysexits.h; 130 is 128 + SIGINT, as shells report it.
import { QuernError } from '@quern/errors';

export const exitCodes = {
  ok: 0,
  /** Something went wrong with the input, the disk or the network. */
  failed: 1,
  /** The command line was wrong. Nothing was read. */
  usage: 2,
  /** Nothing was wrong, but a check said no: `--strict`, disk space, an existing output file. */
  refused: 3,
  /** A bug in quern. */
  internal: 70,
  /** Ctrl-C. */
  interrupted: 130,
} as const;

/** Error codes that begin so end the process with this exit code; every other `QuernError` is `failed`. */
const exitCodeByPrefix: readonly (readonly [prefix: string, exitCode: number])[] = [
  ['usage-', exitCodes.usage],
  ['refused-', exitCodes.refused],
  ['interrupted', exitCodes.interrupted],
];

/** The exit code of whatever a command threw. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof QuernError)) return exitCodes.internal;
  return exitCodeByPrefix.find(([prefix]) => error.code.startsWith(prefix))?.[1] ?? exitCodes.failed;
}
