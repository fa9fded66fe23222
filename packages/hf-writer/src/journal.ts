// The journal beside an unfinished folder says what the folder is and which of its tensors are complete. One JSON value
// per line:
//   {"journal":1,"content":"<sha-256>","settings":{…}}   headers, config and side files; what else decides the bytes
//   "model.layers.0.self_attn.q_proj.weight"             a tensor whose bytes were on disk before this line was written
import { readFile } from 'node:fs/promises';

const version = 1;

export interface JournalHead {
  readonly content: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface Journal extends JournalHead {
  readonly finished: ReadonlySet<string>;
}

export const journalHead = ({ content, settings }: JournalHead): string =>
  `${JSON.stringify({ journal: version, content, settings })}\n`;

export const journalLines = (tensors: readonly string[]): string =>
  tensors.map((name) => `${JSON.stringify(name)}\n`).join('');

/** Undefined when there is none that this version understands. A last line cut short by a crash is no line. */
export async function readJournal(path: string): Promise<Journal | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const [first, ...lines] = text.split('\n').slice(0, -1);
  try {
    const head = JSON.parse(first ?? 'null') as (JournalHead & { journal?: unknown }) | null;
    if (head?.journal !== version) return undefined;
    const finished = new Set(lines.map((line) => JSON.parse(line) as string));
    return { content: head.content, settings: head.settings, finished };
  } catch {
    return undefined;
  }
}

/** What the settings of two runs differ in, for people; '' when it is not the settings. */
export function changedSettings(before: Journal['settings'], now: Journal['settings']): string {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  return keys
    .filter((key) => before[key] !== now[key])
    .map((key) =>
      isHash(before[key]) && isHash(now[key])
        ? `another ${key}`
        : `${key} was ${show(before[key])}, is ${show(now[key])}`,
    )
    .join('; ');
}

/** Of a text or a model: two of them tell a reader nothing. */
const isHash = (value: unknown): boolean => typeof value === 'string' && /^[0-9a-f]{16,}$/.test(value);

const show = (value: unknown): string => (value === undefined ? 'not set' : JSON.stringify(value));
