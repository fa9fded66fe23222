// A Modelfile, as Ollama's docs/modelfile.md describes it: an instruction a line, in any case; comments begin with #. A text may stand in
// quotation marks, one or three, and then go on over lines; nothing in it is escaped.
import { nearest, QuernError } from '@quern/errors';

export interface Instruction {
  /** In capitals. */
  readonly word: string;
  readonly text: string;
  /** Where it begins, from 1. */
  readonly line: number;
}

const words = ['FROM', 'PARAMETER', 'TEMPLATE', 'SYSTEM', 'ADAPTER', 'LICENSE', 'MESSAGE', 'REQUIRES'];
const once = new Set(['FROM', 'TEMPLATE', 'SYSTEM']);
const others: Readonly<Record<string, string>> = {
  RENDERER: 'How messages are written is read off the model’s own template.',
  PARSER: 'How replies are read is read off the model’s own template.',
  DRAFT: 'A draft model is named when it is served (--model-draft).',
};

const oneFrom = 'Of a split model name the first file alone. Leave projectors (mmproj) out: images are not read.';

/** @throws QuernError `modelfile-malformed` with the line */
export function parseModelfile(text: string, file: string): Instruction[] {
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/);
  const found: Instruction[] = [];
  for (let at = 0; at < lines.length; at++) {
    const line = at + 1;
    const row = lines[at]!.trim();
    if (row === '' || row.startsWith('#')) continue;
    const [, first, rest] = /^(\S+)\s*(.*)$/s.exec(row)!;
    const word = first!.toUpperCase();
    if (!words.includes(word)) throw unknownWord(first!, word, line, file);
    const before = once.has(word) && found.find((other) => other.word === word);
    if (before)
      throw malformed(
        line,
        `${word} stands in line ${before.line} already`,
        file,
        word === 'FROM' ? oneFrom : undefined,
      );
    const [, role = '', begun] = word === 'MESSAGE' || word === 'PARAMETER' ? splitFirst(rest!) : [rest, '', rest!];
    const { value, last } = valueFrom(begun!, lines, at, word, file);
    found.push({ word, text: role === '' ? value : `${role} ${value}`, line });
    at = last;
  }
  if (!found.some(({ word }) => word === 'FROM'))
    throw new QuernError('modelfile-malformed', 'The Modelfile does not say what the model is made from.', {
      file,
      remedy: 'Write FROM and a name, a path or a hub id.',
    });
  return found;
}

const splitFirst = (text: string): readonly string[] => /^(\S*)\s*(.*)$/s.exec(text)!.slice(0);

/** A text of an instruction, over the lines that it takes. */
function valueFrom(begun: string, lines: readonly string[], at: number, word: string, file: string) {
  const mark = /^("""|")/.exec(begun)?.[1];
  if (mark === undefined) {
    if (begun === '') throw malformed(at + 1, `nothing stands behind ${word}`, file);
    return { value: begun, last: at };
  }
  const read = [begun.slice(mark.length)];
  for (let last = at; last < lines.length; last++) {
    if (last > at) read.push(lines[last]!);
    const end = read.at(-1)!.trimEnd();
    if (end.endsWith(mark)) {
      read[read.length - 1] = end.slice(0, -mark.length);
      return { value: read.join('\n'), last };
    }
  }
  throw malformed(at + 1, `the text of ${word} has no ${mark} at its end`, file);
}

export const malformed = (line: number, what: string, file: string, remedy?: string): QuernError =>
  new QuernError('modelfile-malformed', `Line ${line}: ${what}.`, { file, remedy });

function unknownWord(written: string, word: string, line: number, file: string): QuernError {
  const why = others[word];
  if (why !== undefined) return malformed(line, `${word} is not taken`, file, `Leave the line out. ${why}`);
  const similar = nearest(word, words);
  const remedy = similar.length > 0 ? `Did you mean ${similar.join(' or ')}?` : `There are ${words.join(', ')}.`;
  return malformed(line, `there is no instruction ${JSON.stringify(written.slice(0, 40))}`, file, remedy);
}
