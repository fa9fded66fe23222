// Points with error bars, as one SVG without scripts. Colours come from the page, so that it follows dark and light.
// Names stand in a column beside the plot, one below the other however close their points are, each led to its point.
import { linearAxis, logAxis } from './axis.ts';
import { escapeMarkup } from './markup.ts';
import { shortNames } from './names.ts';
import { spread } from './spread.ts';

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
  readonly points: readonly PlotPoint[];
  /** Decades instead of equal steps; leaves out points that are not above 0. */
  readonly logarithmic?: boolean;
  /** A horizontal line, with its name. */
  readonly reference?: { readonly label: string; readonly y: number };
}

const width = 820;
const leastHeight = 360;
const left = 86;
/** For names of `labelCharacters` of a fixed width. */
const right = 270;
const top = 16;
const bottom = 48;
const labelCharacters = 32;
const lineHeight = 16;

/** Undefined when there is nothing to draw. */
export function plotSvg(plot: Plot): string | undefined {
  const points = plot.points.filter(({ y }) => Number.isFinite(y) && (!plot.logarithmic || y > 0));
  if (points.length === 0) return undefined;
  const height = Math.max(leastHeight, top + bottom + lineHeight * (points.length + 1));
  const xs = linearAxis(
    points.map(({ x }) => x),
    5,
  );
  const ends = points.flatMap(({ y, error }) => [y - error, y + error]);
  const shown = [...ends, ...(plot.reference ? [plot.reference.y] : [])];
  // On a logarithmic axis an error bar may have no end.
  const ys = plot.logarithmic
    ? logAxis([...points.map(({ y }) => y), ...ends.filter((end) => end > 0)], 6)
    : linearAxis(shown, 6);
  const x = (value: number): number => left + xs.place(value) * (width - left - right);
  const y = (value: number): number => height - bottom - clamped(ys.place(value)) * (height - top - bottom);
  return [
    `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeMarkup(plot.title)}">`,
    ...ys.ticks.flatMap(({ value, label }) => [
      horizontal(y(value), 'grid'),
      text(left - 8, y(value) + 4, label, 'end'),
    ]),
    ...xs.ticks.map(({ value, label }) => text(x(value), height - bottom + 18, label, 'middle')),
    ...(plot.reference ? [horizontal(y(plot.reference.y), 'reference')] : []),
    text((left + width - right) / 2, height - 8, plot.xLabel, 'middle', 'label'),
    `<text class="label" text-anchor="middle" transform="translate(14 ${(height - bottom + top) / 2}) rotate(-90)">${escapeMarkup(plot.yLabel)}</text>`,
    ...labels(points, plot.reference, { x, y, height }),
    ...points.map((point) => marker(point, x(point.x), y)),
    '</svg>',
  ].join('\n');
}

function marker({ label, x: size, y: value, error }: PlotPoint, x: number, y: (value: number) => number): string {
  const tip = `${label}: ${figure(size)}, ${figure(value)} ± ${figure(error)}`;
  const [low, high] = [at(y(value - error)), at(y(value + error))];
  return (
    `<g class="point"><title>${escapeMarkup(tip)}</title>` +
    `<path d="M${at(x)} ${low}V${high}M${at(x - 4)} ${low}h8M${at(x - 4)} ${high}h8"/>` +
    `<circle cx="${at(x)}" cy="${at(y(value))}" r="4"/></g>`
  );
}

/** Names of the points and of the reference line, with a line to each. */
function labels(
  points: readonly PlotPoint[],
  reference: Plot['reference'],
  { x, y, height }: { x: (value: number) => number; y: (value: number) => number; height: number },
): string[] {
  const edge = width - right;
  const names = shortNames(
    points.map(({ label }) => label),
    labelCharacters,
  );
  const ends = [
    ...points.map((point, i) => ({ label: names[i]!, x: x(point.x) + 6, y: y(point.y) })),
    ...(reference ? [{ label: reference.label, x: edge, y: y(reference.y) }] : []),
  ];
  const heights = spread(
    ends.map((end) => end.y),
    lineHeight,
    top,
    height - bottom,
  );
  return ends.map((end, i) => {
    const leader = `<path class="leader" d="M${at(end.x)} ${at(end.y)}L${edge + 4} ${at(heights[i]!)}h8"/>`;
    return leader + text(edge + 16, heights[i]! + 4, end.label, 'start', 'name');
  });
}

const horizontal = (y: number, kind: string): string =>
  `<line class="${kind}" x1="${left}" x2="${width - right}" y1="${at(y)}" y2="${at(y)}"/>`;

const text = (x: number, y: number, content: string, anchor: string, kind = 'tick'): string =>
  `<text class="${kind}" x="${at(x)}" y="${at(y)}" text-anchor="${anchor}">${escapeMarkup(content)}</text>`;

const at = (value: number): string => value.toFixed(1);

const figure = (value: number): string => String(Number(value.toPrecision(4)));

/** Error bars may end outside the plot, or, on a logarithmic axis, nowhere. */
const clamped = (place: number): number => (place > 0 ? Math.min(1, place) : 0);
