// The line of progress, made to fit: what matters least is left out first.
import { painted } from './colour.ts';
import { amountText, type ProgressUnit, rateText } from './progress-units.ts';
import { formatDuration } from './units.ts';
import { shortened, textWidth } from './width.ts';

export interface ProgressFigures {
  readonly title: string;
  readonly unit?: ProgressUnit;
  readonly done: number;
  readonly total?: number;
  readonly label?: string;
  readonly perSecond: number;
  readonly etaMs?: number;
  readonly elapsedMs?: number;
}

const gap = 2;
const titleColumns = 28;
const barColumns = [20, 10];
/** A label shorter than this says nothing. */
const leastLabel = 10;

/** The line of the `log` mode: everything, on as many columns as it takes. */
export const describeProgress = (figures: ProgressFigures): string => {
  const { title, percent, amount, rate, time, label } = wordsOf(figures);
  return [title, percent, amount, rate, time, label].filter((part) => part !== undefined).join(' '.repeat(gap));
};

/** The line of the `tty` mode, with a bar where there is room for one. */
export function progressLine(figures: ProgressFigures, columns: number): string {
  const { percent, amount, rate, time, label, ...words } = wordsOf(figures);
  const title = shortened(words.title, titleColumns);
  const parts = [title, percent, amount, time, rate].filter((part) => part !== undefined);
  const widthOf = (some: readonly string[]): number => some.reduce((sum, part) => sum + textWidth(part) + gap, -gap);
  while (parts.length > 1 && widthOf(parts) > columns) parts.pop();
  const room = columns - widthOf(parts) - gap;
  const bar = figures.total ? barColumns.find((length) => length <= room) : undefined;
  const left = room - (bar === undefined ? 0 : bar + gap);
  const shown = (part: string | undefined): string | undefined =>
    part !== undefined && parts.includes(part) ? part : undefined;
  return [
    shortened(title, columns),
    bar === undefined ? undefined : barText(figures.done / figures.total!, bar),
    ...[percent, amount, rate, time].map(shown),
    label !== undefined && left >= leastLabel ? painted('dim', shortened(label, left), process.stderr) : undefined,
  ]
    .filter((part) => part !== undefined)
    .join(' '.repeat(gap));
}

function wordsOf({ title, unit = 'bytes', done, total, label, perSecond, etaMs, elapsedMs }: ProgressFigures) {
  return {
    title,
    percent: total ? `${String(Math.min(100, Math.floor((100 * done) / total))).padStart(3)}%` : undefined,
    amount: amountText(unit, done, total),
    rate: rateText(unit, perSecond),
    time:
      elapsedMs !== undefined
        ? `in ${formatDuration(elapsedMs)}`
        : etaMs !== undefined
          ? `ETA ${formatDuration(etaMs)}`
          : undefined,
    label,
  };
}

const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** @param share of the whole; more than 1 is full */
function barText(share: number, columns: number): string {
  const filled = Math.floor(8 * columns * Math.min(1, Math.max(0, share)));
  const full = '█'.repeat(Math.floor(filled / 8)) + eighths[filled % 8]!;
  return painted('green', full, process.stderr) + painted('dim', '░'.repeat(columns - textWidth(full)), process.stderr);
}
