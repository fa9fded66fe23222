// The tables that `quern eval` prints, and its reports show.
import type { Estimate } from '@quern/perplexity';
import { type Column, formatBytes, formatTable } from '@quern/terminal';
import type { Evaluation, Outcome, Results } from './results.ts';

interface Field {
  readonly column: Column;
  /** Whether any of the results has it. */
  readonly in: (results: Results, evaluations: readonly Evaluation[]) => boolean;
  readonly cell: (evaluation: Evaluation) => string | undefined;
  /** Of the base, where it has one. */
  readonly base?: (base: NonNullable<Results['base']>) => string | undefined;
}

const right = (header: string, lesser = 0): Column => ({ header, align: 'right', lesser });
const always = () => true;
const hasText = ({ base }: Results, evaluations: readonly Evaluation[]) =>
  base !== undefined || evaluations.some(({ ppl }) => ppl !== undefined);
const hasBase = (_: Results, evaluations: readonly Evaluation[]) => evaluations.some(({ divergence }) => divergence);
const estimate = ({ value, error }: Estimate, digits: number, scale = 1): string =>
  `${(scale * value).toFixed(digits)} ± ${(scale * error).toFixed(digits)}`;

const fields: readonly Field[] = [
  {
    column: right('file size', 2),
    in: always,
    cell: ({ fileBytes }) => formatBytes(fileBytes),
    base: ({ size }) => size && formatBytes(size.fileBytes),
  },
  {
    column: right('bits/weight', 3),
    in: always,
    cell: ({ bitsPerWeight }) => bitsPerWeight.toFixed(3),
    base: ({ size }) => size?.bitsPerWeight.toFixed(3),
  },
  { column: right('PPL'), in: hasText, cell: ({ ppl }) => ppl?.toFixed(4), base: ({ ppl }) => ppl.toFixed(4) },
  { column: right('±', 1), in: hasText, cell: ({ error }) => error?.toFixed(4), base: ({ error }) => error.toFixed(4) },
  {
    column: right('ln PPL ratio', 5),
    in: hasBase,
    cell: ({ divergence }) => divergence && estimate(divergence.lnRatio, 6),
  },
  { column: right('mean KLD'), in: hasBase, cell: ({ divergence }) => divergence && estimate(divergence.kld, 6) },
  {
    column: right('99.9% KLD', 7),
    in: hasBase,
    cell: ({ divergence }) => divergence?.kld.percentiles['p99.9']?.toFixed(6),
  },
  {
    column: right('RMS Δp %', 6),
    in: hasBase,
    cell: ({ divergence }) => divergence && estimate(divergence.rmsDeltaP, 3, 100),
  },
  {
    column: right('same top %', 4),
    in: hasBase,
    cell: ({ divergence }) => divergence && estimate(divergence.sameTop, 3, 100),
  },
  {
    column: right('tokens/s', 8),
    in: (_, evaluations) => evaluations.some(({ tokensPerSecond }) => tokensPerSecond),
    cell: ({ tokensPerSecond }) => tokensPerSecond?.toFixed(0),
  },
];

export const isEvaluation = (outcome: Outcome): outcome is Evaluation => !('failure' in outcome);

/** A figure of a part must not be taken for one of the whole. */
function nameOf({ model, interrupted, windows = 0, windowsOfText }: Evaluation): string {
  if (!interrupted) return model;
  return windowsOfText ? `${model} (interrupted, ${windows} of ${windowsOfText} windows)` : `${model} (interrupted)`;
}

export interface Table {
  readonly title: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly string[])[];
}

/** Those that have rows. */
export const reportTables = (results: Results): Table[] =>
  [evaluationTable(results), taskTable(results)].filter(({ rows }) => rows.length > 0);

export const tableText = ({ columns, rows }: Table): string => formatTable(columns, rows);

function evaluationTable(results: Results): Table {
  const evaluations = results.models.filter(isEvaluation);
  const shown = fields.filter((field) => field.in(results, evaluations));
  const { base } = results;
  const rows = results.models.map((outcome) =>
    isEvaluation(outcome)
      ? [nameOf(outcome), ...shown.map(({ cell }) => cell(outcome) ?? '')]
      : [outcome.model, ...shown.map(({ column }) => (column.header === failureColumn(shown) ? 'failed' : ''))],
  );
  if (base) rows.unshift([`${base.model} (base)`, ...shown.map((field) => field.base?.(base) ?? '')]);
  return { title: 'Models', columns: [{ header: 'model' }, ...shown.map(({ column }) => column)], rows };
}

const failureColumn = (shown: readonly Field[]): string =>
  shown.some(({ column }) => column.header === 'PPL') ? 'PPL' : 'file size';

function taskTable({ models }: Results): Table {
  const rows = models
    .filter(isEvaluation)
    .flatMap((evaluation) =>
      (evaluation.tasks ?? []).flatMap(({ name, llama, acc, accNorm }) =>
        Object.entries({ 'llama.cpp': llama, 'lm-eval acc': acc, 'lm-eval acc_norm': accNorm }).flatMap(
          ([scoring, share]) =>
            share
              ? [
                  [
                    nameOf(evaluation),
                    name,
                    scoring,
                    String(share.tasks),
                    percent(share.value),
                    `${percent(share.low)} … ${percent(share.high)}`,
                    percent(share.standardError),
                  ],
                ]
              : [],
        ),
      ),
    );
  const names: Column[] = [{ header: 'model' }, { header: 'task' }, { header: 'scoring' }];
  const columns = [...names, right('tasks', 2), right('right %'), right('95 % interval', 1), right('± %', 3)];
  return { title: 'Tasks', columns, rows };
}

const percent = (share: number): string => (100 * share).toFixed(2);
