// The table that `quern eval` prints.
import { type Column, formatBytes, formatTable } from '@quern/terminal';
import type { Outcome } from './command.ts';

const columns: readonly Column[] = [
  { header: 'model' },
  { header: 'size', align: 'right' },
  { header: 'bits/weight', align: 'right' },
  { header: 'PPL', align: 'right' },
  { header: '±', align: 'right' },
  { header: 'tokens/s', align: 'right' },
];

export function evaluationTable(outcomes: readonly Outcome[]): string {
  const rows = outcomes.map((outcome) =>
    'failure' in outcome
      ? [outcome.model, '', '', 'failed', '', '']
      : [
          outcome.model,
          formatBytes(outcome.sizeBytes),
          outcome.bitsPerWeight.toFixed(3),
          outcome.ppl.toFixed(4),
          outcome.error.toFixed(4),
          outcome.tokensPerSecond.toFixed(0),
        ],
  );
  return formatTable(columns, rows);
}
