// A figure for Prometheus, in its text format.
import type { EngineStats, HistogramCounts } from '@quern/engine';

export type Labels = Readonly<Record<string, string>>;

export type Metric =
  | {
      readonly name: string;
      readonly type: 'counter' | 'gauge';
      readonly help: string;
      /** A number, or one for each set of labels. */
      readonly value: (stats: EngineStats) => number | readonly (readonly [labels: Labels, value: number])[];
    }
  | {
      readonly name: string;
      readonly type: 'histogram';
      readonly help: string;
      readonly value: (stats: EngineStats) => HistogramCounts;
    };

/** @param common labels of every line */
export function metricText(metric: Metric, stats: EngineStats, common: Labels = {}): string {
  const { name, type, help } = metric;
  const lines = metric.type === 'histogram' ? histogramLines(metric.value(stats)) : plainLines(metric.value(stats));
  const text = lines.map(
    ([suffix, labels, value]) => `${name}${suffix}${written({ ...common, ...labels })} ${value}\n`,
  );
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${text.join('')}`;
}

type Line = readonly [suffix: string, labels: Labels, value: number];

const plainLines = (value: number | readonly (readonly [Labels, number])[]): Line[] =>
  typeof value === 'number' ? [['', {}, value]] : value.map(([labels, one]) => ['', labels, one]);

/** Buckets count what is up to their bound. */
function histogramLines({ bounds, counts, sum }: HistogramCounts): Line[] {
  let count = 0;
  const buckets = counts.map((inside, at): Line => {
    count += inside;
    return ['_bucket', { le: bounds[at] === undefined ? '+Inf' : String(bounds[at]) }, count];
  });
  return [...buckets, ['_sum', {}, sum], ['_count', {}, count]];
}

function written(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return pairs.length > 0 ? `{${pairs.join(',')}}` : '';
}
