// JSON as Python reads and writes it: NaN, Infinity and -Infinity stand for numbers (json.dumps has them by default, so
// config files do), and a byte order mark may come first (editors on Windows).

/** The value of a JSON text. @throws SyntaxError as `JSON.parse` */
export function parsePythonJson(text: string): unknown {
  const json = text.startsWith('\ufeff') ? text.slice(1) : text;
  try {
    return JSON.parse(json);
  } catch (error) {
    const mark = absentMark(json);
    const marked = markNumbers(json, mark);
    if (marked === json) throw error;
    return JSON.parse(marked, (_, value: unknown) =>
      typeof value === 'string' && value.startsWith(mark) ? Number(value.slice(mark.length)) : value,
    );
  }
}

/** The JSON text of a value, with `indent` spaces a level; numbers that JSON has no spelling for as Python writes them. */
export function pythonJson(value: unknown, indent: number): string {
  const mark = absentMark(JSON.stringify(value));
  const marked = JSON.stringify(
    value,
    (_, part: unknown) => (typeof part === 'number' && !Number.isFinite(part) ? `${mark}${part}` : part),
    indent,
  );
  return marked.replaceAll(new RegExp(`"${mark}(NaN|-?Infinity)"`, 'g'), '$1');
}

/** Letters that the text does not have: they tell a number in quotes from a string. */
function absentMark(text: string): string {
  for (let n = 0; ; n++) if (!text.includes(`number${n}:`)) return `number${n}:`;
}

const number = /NaN|-?Infinity/y;

/** NaN and Infinity outside strings, put in quotes behind `mark`. */
function markNumbers(json: string, mark: string): string {
  let result = '';
  let from = 0;
  for (let at = 0; at < json.length; at++) {
    const char = json[at];
    if (char === '"') at = stringEnd(json, at);
    else if (char === 'N' || char === 'I' || char === '-') {
      number.lastIndex = at;
      const found = number.exec(json)?.[0];
      if (found === undefined) continue;
      result += `${json.slice(from, at)}"${mark}${found}"`;
      from = at + found.length;
      at = from - 1;
    }
  }
  return result + json.slice(from);
}

/** Index of the closing quote of the string that opens at `start`; the last index when it never ends. */
function stringEnd(json: string, start: number): number {
  let at = start + 1;
  while (at < json.length && json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
  return at;
}
