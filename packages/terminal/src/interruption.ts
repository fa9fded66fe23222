// What a person reads who has pressed Ctrl-C: what is kept of the work, the command that goes on with it, and the one that
// deletes it. Files are looked for when the text is made, so that it speaks of nothing that is not there.
import { existsSync, statSync } from 'node:fs';

export interface Interruption {
  /** Files and folders that are there for a later run. */
  readonly kept: readonly string[];
  /** The same command: it goes on where files are kept, and starts over where not. */
  readonly resume: string;
  /** Deletes them; undefined when nothing is kept. */
  readonly discard?: string;
}

/**
 * @param candidates files that the command may have left
 * @param args the command line behind `quern`
 */
export function interruptionOf(candidates: Iterable<string>, args = process.argv.slice(2)): Interruption {
  const kept = [...new Set(candidates)].filter((path) => existsSync(path));
  const resume = [...programName(), ...args].map(shellWord).join(' ');
  return { kept, resume, ...(kept.length > 0 && { discard: removal(kept) }) };
}

export function describeInterruption({ kept, resume, discard }: Interruption): string {
  if (discard === undefined) return `Interrupted. Nothing is kept.\n  start over:  ${resume}`;
  return `Interrupted. What is done is kept in ${kept.join(', ')}.\n  go on:   ${resume}\n  delete:  ${discard}`;
}

/** As the shell that started us would find it. */
const programName = (): string[] => (process.env.npm_command === 'exec' ? ['npx', 'quern'] : ['quern']);

function removal(paths: readonly string[]): string {
  const command = (path: string): string => (statSync(path).isDirectory() ? 'rm -r' : 'rm');
  // PowerShell's rm wants commas between paths; one command for each is right everywhere.
  return paths.map((path) => `${command(path)} ${shellWord(path)}`).join('; ');
}

/** A word that a shell takes as it is, quoted where it must be. */
const shellWord = (word: string): string =>
  /^[\w@%+=:,./\\-]+$/.test(word) && (process.platform === 'win32' || !word.includes('\\'))
    ? word
    : `'${word.replaceAll("'", process.platform === 'win32' ? "''" : "'\\''")}'`;
