// What `quern calibrate` says when it is done.
import { type EntryStatistics, type ImportanceMatrix, imatrixStatistics, shortfalls } from '@quern/calibration';
import { type Column, formatDuration, formatTable, printJson, printLine, printNote } from '@quern/terminal';

export interface Outcome {
  readonly matrix: ImportanceMatrix;
  /** Undefined when nothing was written. */
  readonly output?: string;
  readonly resumedChunks?: number;
  readonly seconds?: number;
}

export function report(outcome: Outcome, options: { json?: boolean; showStatistics?: boolean }): void {
  const { matrix, output, resumedChunks, seconds } = outcome;
  const { datasets, chunkCount, chunkSize, entries } = matrix;
  const neverFired = shortfalls(entries, 1).map(({ tensor, matrices }) => ({ tensor, experts: matrices }));
  const statistics = options.showStatistics ? imatrixStatistics(matrix) : undefined;
  if (options.json) {
    const summary = { path: output, datasets, chunkCount, chunkSize, entryCount: entries.size, neverFired };
    printJson({ ...summary, resumedChunks, seconds, statistics });
    return;
  }
  if (statistics) printLine(statisticsTable(statistics));
  for (const { tensor, experts } of neverFired)
    printNote(
      `${tensor}: no token reached ${experts.length === 1 ? 'expert' : 'experts'} ${experts.join(', ')}; all columns will count alike.`,
    );
  if (output === undefined) return;
  const time = seconds === undefined ? '' : `, in ${formatDuration(1000 * seconds)}`;
  printLine(`${output}: ${entries.size} weights over ${chunkCount} chunks of ${chunkSize} tokens${time}`);
}

const columns: readonly Column[] = [
  { header: 'tensor' },
  { header: 'Σ mean x²', align: 'right' },
  { header: 'min', align: 'right', lesser: 7 },
  { header: 'max', align: 'right', lesser: 6 },
  { header: 'mean', align: 'right', lesser: 1 },
  { header: 'σ', align: 'right', lesser: 5 },
  { header: '% active', align: 'right' },
  { header: 'columns', align: 'right', lesser: 8 },
  { header: 'entropy', align: 'right', lesser: 2 },
  { header: '% of most', align: 'right', lesser: 4 },
  { header: '% > σ', align: 'right', lesser: 9 },
  { header: 'similarity', align: 'right', lesser: 3 },
  { header: 'rows', align: 'right' },
];

function statisticsTable(statistics: readonly EntryStatistics[]): string {
  const percent = (share: number) => (100 * share).toFixed(2);
  const rows = statistics.map((figures) => [
    figures.tensor,
    figures.total.toFixed(2),
    figures.min.toFixed(4),
    figures.max.toFixed(4),
    figures.mean.toFixed(4),
    figures.deviation.toFixed(4),
    percent(figures.active),
    String(figures.columns),
    figures.entropy.toFixed(4),
    percent(figures.entropyShare),
    percent(figures.zd),
    figures.similarity?.toFixed(4) ?? '',
    rowRange(figures.counts),
  ]);
  return formatTable(columns, rows);
}

/** One number, or the least and the most that an expert has seen. */
function rowRange(counts: readonly number[]): string {
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return least === most ? String(most) : `${least} … ${most}`;
}
