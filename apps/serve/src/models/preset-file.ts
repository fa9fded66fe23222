// A file that lists models, as llama-server's router reads them:
//
//   ; what holds for all
//   [*]
//   ctx-size = 8192
//   [qwen]                    what clients call it; without `model` also what is loaded
//   model = ./qwen3-Q4_K_M.gguf
//   alias = qwen3, small
//
// or the same as JSON: {"*": {…}, "qwen": {"model": "…", "alias": ["qwen3", "small"]}}. Keys are flags of `quern serve` without dashes.
import { QuernError } from '@quern/errors';

export interface PresetSection {
  readonly name: string;
  readonly entries: readonly PresetEntry[];
}

export interface PresetEntry {
  readonly key: string;
  readonly value: string;
  /** From 1; of JSON there is none. */
  readonly line?: number;
}

/** Section of what holds for all; what stands before the first section does too. */
export const everyModel = '*';

/**
 * The sections, those of one name joined.
 * @throws QuernError `preset-malformed`
 */
export function parsePresets(text: string, file: string): PresetSection[] {
  const plain = text.replace(/^\ufeff/, '');
  const sections = /^\s*\{/.test(plain) ? parseJson(plain, file) : parseIni(plain, file);
  const byName = new Map<string, PresetEntry[]>();
  for (const { name, entries } of sections) byName.set(name, [...(byName.get(name) ?? []), ...entries]);
  return [...byName].map(([name, entries]) => ({ name, entries }));
}

function parseIni(text: string, file: string): PresetSection[] {
  const sections: { name: string; entries: PresetEntry[] }[] = [{ name: everyModel, entries: [] }];
  for (const [i, written] of text.split(/\r?\n/).entries()) {
    const row = written.trim();
    if (row === '' || row.startsWith(';') || row.startsWith('#')) continue;
    const [, name] = /^\[(.+)\]$/.exec(row) ?? [];
    if (name !== undefined) {
      sections.push({ name: name.trim(), entries: [] });
      continue;
    }
    const [, key, value] = /^([\w.-]+)\s*=\s*(.*)$/.exec(row) ?? [];
    if (key === undefined)
      throw malformed(`Line ${i + 1} is neither [a section] nor key = value: ${row.slice(0, 80)}`, file);
    sections.at(-1)!.entries.push({ key, value: unquoted(value!), line: i + 1 });
  }
  return sections;
}

const unquoted = (value: string): string => /^(["'])(.*)\1$/.exec(value)?.[2] ?? value;

function parseJson(text: string, file: string): PresetSection[] {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch (error) {
    throw malformed(`It is no JSON: ${(error as Error).message}`, file);
  }
  return Object.entries(read as object).map(([name, entries]) => {
    if (typeof entries !== 'object' || entries === null || Array.isArray(entries))
      throw malformed(`${JSON.stringify(name)} must be an object of flags.`, file);
    return {
      name,
      entries: Object.entries(entries).flatMap(([key, value]) =>
        (Array.isArray(value) ? value : [value]).map((one) => ({ key, value: scalar(one, name, key, file) })),
      ),
    };
  });
}

function scalar(value: unknown, name: string, key: string, file: string): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw malformed(`${JSON.stringify(name)}: ${key} must be a text, a number, true or false, or a list of them.`, file);
}

const malformed = (message: string, file: string): QuernError => new QuernError('preset-malformed', message, { file });
