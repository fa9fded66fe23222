// Patterns to JavaScript regular expressions. Dialect differences: `\s` in JavaScript counts U+FEFF as white space and
// leaves out U+0085, tokenizers go by Unicode's White_Space (likewise `\d` and `\b` are Unicode's, not ASCII's); and
// case-insensitive groups (`(?i:…)`) are too new for the oldest Node we support, so patterns write both cases out.

export function compilePattern(pattern: string): RegExp {
  const source = pattern.replaceAll('\\p{Han}', '\\p{Script=Han}').replace(/\\([\s\S])/g, (whole, letter) => {
    if (letter === 'd') return '\\p{Nd}';
    if (letter === 'b') return `(?:(?<=${word})(?!${word})|(?<!${word})(?=${word}))`;
    if (letter === 's') return '\\p{White_Space}';
    if (letter === 'S') return '\\P{White_Space}';
    return identityEscapes.has(letter) ? letter : whole;
  });
  return new RegExp(source, 'gu');
}

const word = '[\\p{L}\\p{M}\\p{N}\\p{Pc}]';

/** Escapes that other dialects allow and the `u` flag does not. */
const identityEscapes = new Set(['"', "'", '#', '%', '&', ',', ':', ';', '<', '=', '>', '@', '_', '`', '~', '!', ' ']);

/** `\\u00b5` as `µ`: not every dialect has the escape. */
export function withoutUnicodeEscapes(pattern: string): string {
  return pattern.replace(/\\u(?:([0-9a-f]{4})|\{([0-9a-f]+)\})/gi, (_, short, long) =>
    String.fromCodePoint(Number.parseInt(short ?? long, 16)),
  );
}

/** Cuts each piece at every match of `pattern`: the matches and what lies between them are the new pieces. */
export function splitIsolated(pieces: readonly string[], pattern: RegExp): string[] {
  const words: string[] = [];
  for (const piece of pieces) {
    let end = 0;
    pattern.lastIndex = 0;
    for (let match = pattern.exec(piece); match; match = pattern.exec(piece)) {
      if (match.index > end) words.push(piece.slice(end, match.index));
      if (match[0] !== '') words.push(match[0]);
      else pattern.lastIndex++;
      end = match.index + match[0].length;
    }
    if (end < piece.length) words.push(piece.slice(end));
  }
  return words;
}
