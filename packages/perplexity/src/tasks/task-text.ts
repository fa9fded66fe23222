import { QuernError } from '@quern/errors';
import { decodeText } from '../windows/text-tokens.ts';

/** The lines of a file, without the empty one after a newline at its end. */
export function linesOf(bytes: Uint8Array, file: string): string[] {
  const lines = decodeText(bytes, file).split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

export const taskDamaged = (file: string, what: string, offset?: number): QuernError =>
  new QuernError('task-file-damaged', `The task file cannot be read: ${what}.`, {
    file,
    offset,
    remedy: 'See docs/evaluation.md for the formats.',
  });
