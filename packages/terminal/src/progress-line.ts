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
const [shortBar, longBar] = [10, 20];
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
  const most = [title, percent, amount, time].filter((part) => part !== undefined);
  const widthOf = (some: readonly string[]): number => some.reduce((sum, part) => sum + textWidth(part) + gap, -gap);
  while (most.length > 1 && widthOf(most) > columns) most.pop();
  let left = columns - widthOf(most);
  /** Whether there is room for it, which is then taken. */
  const takes = (width: number): boolean => {
    if (left < width + gap) return false;
    left -= width + gap;
    return true;
  };
  // The short bar before the rate: a bar that comes and goes with the length of the other words is restless.
  let bar = figures.total && takes(shortBar) ? shortBar : 0;
  const shownRate = rate !== undefined && takes(textWidth(rate)) ? rate : undefined;
  if (bar > 0 && takes(longBar - shortBar - gap)) bar = longBar;
  const shown = (part: string | undefined) => (part !== undefined && most.includes(part) ? part : undefined);
  return [
    shortened(title, columns),
    bar === 0 ? undefined : barText(figures.done / figures.total!, bar),
    ...[shown(percent), shown(amount), shownRate, shown(time)],
    label !== undefined && left >= leastLabel + gap
      ? painted('dim', shortened(label, left - gap), process.stderr)
      : undefined,
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
