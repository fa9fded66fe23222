// Text from files on its way to a terminal: names and metadata may hold anything, escape sequences included, which would
// move the cursor, rename the window or hide what follows.

// C0 and C1 controls, DEL; marks that turn the direction of what follows or take no room; halves of surrogate pairs.
const unprintable = /[\p{Cc}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]|\p{Surrogate}/gu;

/** The text on one line, with `\n`, `\x1b`, `\u202e` in place of what a terminal would obey. */
export function printable(text: string): string {
  return text.replace(unprintable, escapeOf);
}

/** The same, but lines stay lines. */
export const printableLines = (text: string): string => text.split('\n').map(printable).join('\n');

function escapeOf(char: string): string {
  const named = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }[char];
  const code = char.charCodeAt(0);
  return (
    named ?? (code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`)
  );
}
