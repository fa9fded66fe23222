// The journal beside a partial file says which of its tensors are complete. One JSON value per line:
//   {"journal":1,"identity":"<sha-256>"}       the plan, its options and the input; anything else is another file's partial
//   "blk.0.attn_q.weight"                      a tensor whose bytes were on disk before this line was written
import { readFile } from 'node:fs/promises';

const version = 1;

export const journalHead = (identity: string): string => `${JSON.stringify({ journal: version, identity })}\n`;

export const journalLines = (tensors: readonly string[]): string =>
  tensors.map((name) => `${JSON.stringify(name)}\n`).join('');

/**
 * Names of the complete tensors, or undefined when there is no journal or it belongs to another plan or input.
 * A last line cut short by a crash is no line.
 */
export async function readJournal(path: string, identity: string): Promise<Set<string> | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const [head, ...lines] = text.split('\n').slice(0, -1);
  if (`${head}\n` !== journalHead(identity)) return undefined;
  return new Set(lines.map((line) => JSON.parse(line) as string));
}
