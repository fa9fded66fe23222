// A plain text table: two spaces between columns, numbers to the right, no frames, so that it survives copy and paste.

export interface Column {
  header: string;
  align?: 'left' | 'right';
}

/** One line per row, the header first, no final newline. Missing cells are empty. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const lines = [columns.map((column) => column.header), ...rows];
  const widths = columns.map((_, i) => Math.max(...lines.map((line) => width(line[i] ?? ''))));
  return lines
    .map((line) =>
      columns
        .map((column, i) => {
          const cell = line[i] ?? '';
          const space = ' '.repeat(widths[i]! - width(cell));
          return column.align === 'right' ? space + cell : cell + space;
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Code points, not UTF-16 units: names of models are not always ASCII. */
const width = (text: string): number => [...text].length;
