// A plain text table: two spaces between columns, numbers to the right, no frames, so that it survives copy and paste.
// One that is wider than the terminal gives up its lesser columns first, and says which; then its texts are shortened.
import { painted } from './colour.ts';
import { outputWidth, shortened, textWidth } from './width.ts';

export interface Column {
  header: string;
  align?: 'left' | 'right';
  /** On a narrow terminal: the higher, the sooner it is left out. Default 0: stays. */
  lesser?: number;
}

const gap = 2;
/** Columns are given up before names and texts are shortened below this; a name says which row it is. */
const [legibleName, legibleText] = [28, 12];
/** Texts are never shortened below this. */
const leastText = 8;

/** One line per row, the header first, no final newline. Missing cells are empty. @param width default: the terminal's */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number = outputWidth(),
): string {
  const widths = columns.map((column, i) =>
    Math.max(textWidth(column.header), ...rows.map((row) => textWidth(row[i] ?? ''))),
  );
  const kept = keptColumns(columns, widths, width);
  const shown = shownWidths(columns, widths, kept, width);
  const line = (cells: readonly string[]): string =>
    kept
      .map((i) => {
        const cell = shortened(cells[i] ?? '', shown.get(i)!);
        const space = ' '.repeat(shown.get(i)! - textWidth(cell));
        return columns[i]!.align === 'right' ? space + cell : cell + space;
      })
      .join(' '.repeat(gap))
      .trimEnd();
  const header = painted('bold', line(columns.map((column) => column.header)), process.stdout);
  const left = columns.filter((_, i) => !kept.includes(i)).map((column) => column.header);
  return [header, ...rows.map(line), ...(left.length > 0 ? [leftOut(left, width)] : [])].join('\n');
}

const total = (widths: readonly number[]): number => widths.reduce((sum, width) => sum + width + gap, -gap);

function keptColumns(columns: readonly Column[], widths: readonly number[], width: number): number[] {
  const least = (i: number): number =>
    columns[i]!.align === 'right' ? widths[i]! : Math.min(widths[i]!, i === 0 ? legibleName : legibleText);
  let kept = columns.map((_, i) => i);
  while (total(kept.map(least)) > width) {
    const next = kept.reduce((a, b) => ((columns[b]!.lesser ?? 0) > (columns[a]!.lesser ?? 0) ? b : a));
    if (!columns[next]!.lesser) break;
    kept = kept.filter((i) => i !== next);
  }
  return kept;
}

/** Takes from the widest text until the line fits. */
function shownWidths(
  columns: readonly Column[],
  widths: readonly number[],
  kept: readonly number[],
  width: number,
): Map<number, number> {
  const shown = new Map(kept.map((i) => [i, widths[i]!]));
  const texts = kept.filter((i) => columns[i]!.align !== 'right');
  while (total([...shown.values()]) > width) {
    const widest = texts.reduce<number | undefined>(
      (a, b) => (a === undefined || shown.get(b)! > shown.get(a)! ? b : a),
      undefined,
    );
    if (widest === undefined || shown.get(widest)! <= leastText) break;
    shown.set(widest, shown.get(widest)! - 1);
  }
  return shown;
}

function leftOut(headers: readonly string[], width: number): string {
  const lines = [''];
  for (const word of `(not shown for want of width: ${headers.join(', ')}; --json has all)`.split(' ')) {
    const last = lines.at(-1)!;
    if (last !== '' && textWidth(last) + 1 + textWidth(word) > width) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return painted('dim', lines.join('\n'), process.stdout);
}
