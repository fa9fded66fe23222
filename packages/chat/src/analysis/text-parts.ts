// What two texts have in common, in whole marks: a tag is never cut.

/** `<tool_call>`, `<|im_end|>`, `[TOOL_CALLS]`. */
const tag = /<[^<>\s][^<>]{0,200}>|\[\/?[A-Z][A-Z_ ]*\]/g;

/** Where `text` may be cut: not inside a tag. */
function tagAt(text: string, at: number): { start: number; end: number } | undefined {
  for (const match of text.matchAll(tag)) {
    if (match.index < at && match.index + match[0].length > at) {
      return { start: match.index, end: match.index + match[0].length };
    }
  }
  return undefined;
}

export function commonPrefix(a: string, b: string): string {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  for (let at: number | undefined = length; at !== undefined; ) {
    length = at;
    at = tagAt(a, length)?.start ?? tagAt(b, length)?.start;
  }
  return a.slice(0, length);
}

export function commonSuffix(a: string, b: string): string {
  let length = 0;
  while (length < a.length && length < b.length && a[a.length - 1 - length] === b[b.length - 1 - length]) length++;
  for (;;) {
    const [inA, inB] = [tagAt(a, a.length - length), tagAt(b, b.length - length)];
    if (inA) length = a.length - inA.end;
    else if (inB) length = b.length - inB.end;
    else return a.slice(a.length - length);
  }
}

/** `</a>` for `<a>`, `[/A]` for `[A]`. */
export const endOf = (open: string): string => `${open[0]}/${open.slice(1).replace(/\s[^\]>]*/, '')}`;

export const allTags = (text: string): string[] => text.match(tag) ?? [];
export const firstTag = (text: string): string | undefined => text.match(tag)?.[0];
export const lastTagStart = (text: string): number | undefined => [...text.matchAll(tag)].at(-1)?.index;
export const onlyTags = (text: string): boolean => text.replace(tag, '').trim() === '';

/** The text between two words; undefined where they do not follow each other. */
export function between(text: string, left: string, right: string, from = 0): string | undefined {
  const start = text.indexOf(left, from);
  const end = start < 0 ? -1 : text.indexOf(right, start + left.length);
  return end < 0 ? undefined : text.slice(start + left.length, end);
}

/** Characters that `findJson` looks at: each bracket is tried, and a template may write any number of them. Probes need thousands. */
const looksAtMost = 4_000_000;

/** The first JSON value from `from` on that begins before `before` and holds `word`; none where too much is to be looked at. */
export function findJson(
  text: string,
  word: string,
  from: number,
  before: number,
): { start: number; end: number; value: unknown } | undefined {
  let left = looksAtMost;
  for (let start = from; start <= before && start < text.length && left > 0; start++) {
    if (text[start] !== '{' && text[start] !== '[') continue;
    const end = balancedEnd(text, start, left);
    left -= (end ?? text.length) - start;
    if (end === undefined || !text.slice(start, end).includes(word)) continue;
    try {
      return { start, end, value: JSON.parse(text.slice(start, end)) };
    } catch {}
  }
  return undefined;
}

function balancedEnd(text: string, start: number, most: number): number | undefined {
  const limit = Math.min(text.length, start + most);
  let depth = 0;
  let inText = false;
  for (let at = start; at < limit; at++) {
    const character = text[at]!;
    if (inText) {
      if (character === '\\') at++;
      else if (character === '"') inText = false;
    } else if (character === '"') inText = true;
    else if (character === '{' || character === '[') depth++;
    else if ((character === '}' || character === ']') && --depth === 0) return at + 1;
  }
  return undefined;
}
