// Points with error bars, as one SVG without scripts. Colours come from the page, so that it follows dark and light.
import { linearAxis, logAxis } from './axis.ts';
import { escapeMarkup } from './markup.ts';

export interface PlotPoint {
  readonly label: string;
  readonly x: number;
  readonly y: number;
  /** One standard deviation of y. */
  readonly error: number;
}

export interface Plot {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly formatX: (value: number) => string;
  readonly formatY: (value: number) => string;
  readonly points: readonly PlotPoint[];
  /** Decades instead of equal steps; leaves out points that are not above 0. */
  readonly logarithmic?: boolean;
  /** A horizontal line, with its name. */
  readonly reference?: { readonly label: string; readonly y: number };
}

const width = 720;
const height = 380;
const left = 76;
const right = 160;
const top = 16;
const bottom = 48;
/** Least distance of two labels. */
const lineHeight = 14;

/** Undefined when there is nothing to draw. */
export function plotSvg(plot: Plot): string | undefined {
  const points = plot.points.filter(({ y }) => Number.isFinite(y) && (!plot.logarithmic || y > 0));
  if (points.length === 0) return undefined;
  const xs = linearAxis(
    points.map(({ x }) => x),
    5,
  );
  const heights = points.flatMap(({ y, error }) => [y - error, y + error]);
  const ys = plot.logarithmic
    ? logAxis(points.map(({ y }) => y))
    : linearAxis([...heights, ...(plot.reference ? [plot.reference.y] : [])], 6);
  const x = (value: number): number => left + xs.place(value) * (width - left - right);
  const y = (value: number): number => height - bottom - ys.place(value) * (height - top - bottom);
  return [
    `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeMarkup(plot.title)}">`,
    ...ys.ticks.map((tick) => horizontal(y(tick), plot.formatY(tick), 'grid')),
    ...xs.ticks.map((tick) => text(x(tick), height - bottom + 18, plot.formatX(tick), 'middle')),
    ...(plot.reference ? [horizontal(y(plot.reference.y), '', 'reference', plot.reference.label)] : []),
    text((left + width - right) / 2, height - 8, plot.xLabel, 'middle', 'label'),
    `<text class="label" text-anchor="middle" transform="translate(14 ${(height - bottom + top) / 2}) rotate(-90)">${escapeMarkup(plot.yLabel)}</text>`,
    ...points.map((point) => marker(point, plot, x(point.x), y)),
    ...labels(points, x, y),
    '</svg>',
  ].join('\n');
}

function marker({ label, x: size, y: value, error }: PlotPoint, plot: Plot, x: number, y: (value: number) => number) {
  const low = plot.logarithmic ? Math.max(value - error, value / 1e3) : value - error;
  const tip = `${label}: ${plot.formatX(size)}, ${plot.formatY(value)} ± ${plot.formatY(error)}`;
  return (
    `<g class="point"><title>${escapeMarkup(tip)}</title>` +
    `<path d="M${at(x)} ${at(y(low))}V${at(y(value + error))}M${at(x - 4)} ${at(y(low))}h8M${at(x - 4)} ${at(y(value + error))}h8"/>` +
    `<circle cx="${at(x)}" cy="${at(y(value))}" r="4"/></g>`
  );
}

/** To the right of their points, pushed down where they would overlap. */
function labels(points: readonly PlotPoint[], x: (value: number) => number, y: (value: number) => number): string[] {
  const placed: { x: number; y: number }[] = [];
  const byHeight = [...points].sort((a, b) => b.y - a.y);
  return byHeight.map((point) => {
    const place = { x: x(point.x) + 8, y: y(point.y) + 4 };
    while (placed.some((other) => Math.abs(other.x - place.x) < 120 && Math.abs(other.y - place.y) < lineHeight))
      place.y += lineHeight;
    placed.push(place);
    return text(place.x, place.y, point.label, 'start');
  });
}

function horizontal(y: number, label: string, kind: string, name = ''): string {
  return (
    `<line class="${kind}" x1="${left}" x2="${width - right}" y1="${at(y)}" y2="${at(y)}"/>` +
    text(left - 8, y + 4, label, 'end') +
    (name && text(width - right + 4, y + 4, name, 'start'))
  );
}

const text = (x: number, y: number, content: string, anchor: string, kind = 'tick'): string =>
  `<text class="${kind}" x="${at(x)}" y="${at(y)}" text-anchor="${anchor}">${escapeMarkup(content)}</text>`;

const at = (value: number): string => value.toFixed(1);
