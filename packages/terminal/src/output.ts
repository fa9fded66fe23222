// Writing to stdout and stderr. A reader that goes away (`quern inspect m.gguf | head -1`) is no error: EPIPE ends the
// process quietly, as it ends every other tool of a pipeline.
import { exitCodes } from './exit-codes.ts';

let guarded = false;

/** Makes a closed pipe end the process with `ok` instead of a stack trace. Called by `runCommand`, and before a help is printed. */
export function guardPipes(): void {
  if (guarded) return;
  guarded = true;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(exitCodes.ok);
      throw error;
    });
  }
}

/** Whether the cursor stands behind a line of `writeStatus`. */
let statusIsOpen = false;

/** A line on stderr, a terminal, that the next one replaces. */
export function writeStatus(line: string): void {
  process.stderr.write(`\r\x1b[K${line}`);
  statusIsOpen = true;
}

/** The line stays; whatever is written next has a line of its own. */
export function endStatus(): void {
  if (statusIsOpen) process.stderr.write('\n');
  statusIsOpen = false;
}

/** The line goes: it says nothing that its next version would not say. */
function clearStatus(): void {
  if (statusIsOpen) process.stderr.write('\r\x1b[K');
  statusIsOpen = false;
}

/** One line on stdout: results. */
export function printLine(text = ''): void {
  endStatus();
  process.stdout.write(`${text}\n`);
}

/** One line on stderr: what a person should know and a pipe should not swallow. */
export function printNote(text: string): void {
  clearStatus();
  process.stderr.write(`${text}\n`);
}

/** One JSON document on stdout. 64-bit integers are numbers where that is exact and decimal strings otherwise. */
export const printJson = (value: unknown): void => printLine(toJson(value, 2));

/** JSON text of `value`, `bigint` allowed. What a terminal would obey is escaped, as JSON allows everywhere in a string. */
export function toJson(value: unknown, indent?: number): string {
  const text = JSON.stringify(
    value,
    (_, item: unknown) =>
      typeof item !== 'bigint' ? item : Number.isSafeInteger(Number(item)) ? Number(item) : String(item),
    indent,
  );
  // JSON.stringify itself escapes those below U+0020 and halves of surrogate pairs.
  return text.replace(
    /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
