// The report: one HTML file that needs nothing else, no network and no script, and follows dark and light.
import type { Evaluation, Results } from '../results.ts';
import { isEvaluation, reportTables, type Table } from '../table.ts';
import { escapeMarkup } from './markup.ts';
import { briefNames } from './names.ts';
import { type Plot, type PlotPoint, plotSvg } from './plot.ts';
import { type TensorErrors, tensorErrorSvg } from './tensor-errors.ts';

const style = `
  :root {
    color-scheme: light dark;
    --page: light-dark(#faf9f6, #1b1c1e); --text: light-dark(#1c1b19, #e9e7e2); --faint: light-dark(#6a675f, #a09d95);
    --line: light-dark(#dcd9d0, #38393c); --accent: light-dark(#8a4b12, #e2a264);
  }
  body { margin: 0 auto; max-width: 84rem; padding: 1rem; font: 15px/1.5 system-ui, sans-serif; background: var(--page); color: var(--text); }
  h1 { font-size: 1.3rem; color: var(--accent); } h2 { font-size: 1.05rem; margin-top: 2rem; }
  .scroll { overflow-x: auto; }
  table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
  th, td { padding: 0.25rem 0.6rem; border-bottom: 1px solid var(--line); text-align: right; }
  th.left, td.left { text-align: left; overflow-wrap: anywhere; min-width: 5rem; }
  th:first-child, td:first-child { min-width: 11rem; }
  th { color: var(--faint); font-weight: 600; vertical-align: bottom; }
  svg { display: block; width: 100%; min-width: 44rem; max-width: 64rem; height: auto; font: 12px system-ui, sans-serif; }
  svg text.name { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
  svg .leader { stroke: var(--line); fill: none; }
  svg text { fill: var(--text); } svg text.tick { fill: var(--faint); } svg .grid { stroke: var(--line); }
  svg .reference { stroke: var(--faint); stroke-dasharray: 4 4; }
  svg .point path { stroke: var(--accent); fill: none; } svg .point circle { fill: var(--accent); }
  svg .bar { fill: var(--accent); }
  @media (max-width: 56rem) {
    /* A row of the table becomes a block of lines, each with the name of its column. */
    tr:has(th) { display: none; } tr, td { display: block; } tr { padding: 0.5rem 0; border-bottom: 1px solid var(--line); }
    td, td:first-child { border: 0; padding: 0.1rem 0; min-width: 0; text-align: left; }
    td:empty { display: none; } td:first-child { font-weight: 600; }
    td:not(:first-child)::before { content: attr(data-column) ": "; color: var(--faint); }
  }
  p.note { color: var(--faint); }`;

export interface Made {
  readonly version: string;
  readonly date: Date;
}

/** @param made by what, and when */
export function reportPage(measured: Results, measuredErrors: readonly TensorErrors[], made: Made): string {
  const { results, tensorErrors } = withBriefNames(measured, measuredErrors);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeMarkup(['quern eval', ...results.models.map(({ model }) => model)].join(' · '))}</title>
<style>${style}
</style>
</head>
<body>
<h1>quern eval</h1>
<p class="note">${escapeMarkup(described(results))}</p>
<p class="note">quern ${escapeMarkup(made.version)}, <time datetime="${made.date.toISOString()}">${dateText(made.date)}</time></p>
${reportTables(results).map(tableMarkup).join('\n')}
${plots(results).map(plotMarkup).join('\n')}
${tensorErrors.map(tensorErrorMarkup).join('\n')}
<p class="note">± and error bars are one standard deviation. Bits per weight are those of the tensors. Formulas: docs/evaluation.md of quern.</p>
</body>
</html>
`;
}

/** The page goes to others: files of this machine are named, not located. */
function withBriefNames(results: Results, tensorErrors: readonly TensorErrors[]) {
  const { base, models, text } = results;
  const names = briefNames([...models.map(({ model }) => model), ...(base ? [base.model] : [])]);
  const named = <Model extends { readonly model: string }>(of: Model): Model => ({
    ...of,
    model: names.get(of.model)!,
  });
  const files = briefNames(tensorErrors.map(({ model }) => model));
  return {
    results: {
      ...results,
      ...(text !== undefined && { text: briefNames([text]).get(text)! }),
      ...(base && { base: named(base) }),
      models: models.map(named),
    } satisfies Results,
    tensorErrors: tensorErrors.map((errors) => ({ ...errors, model: files.get(errors.model)! })),
  };
}

function described({ text, profile, contextTokens, strideTokens, shard, base, models }: Results): string {
  const measured = models.filter(isEvaluation);
  const scored = [...new Set(measured.flatMap(({ tokensScored }) => tokensScored ?? []))];
  const windows = [...new Set(measured.flatMap((evaluation) => evaluation.windows ?? []))];
  const count = (values: readonly number[]): string => values.map((value) => value.toLocaleString('en')).join(' or ');
  const parts = [
    text && `Text ${text}.`,
    profile &&
      `Profile ${profile}, windows of ${contextTokens} tokens${strideTokens ? `, stride ${strideTokens}` : ''}.`,
    scored.length > 0 && `${count(scored)} tokens scored in ${count(windows)} windows.`,
    shard && `Only shard ${shard}.`,
    base && `Base ${base.model}.`,
  ];
  return parts.filter(Boolean).join(' ');
}

/** A figure may go on a second line with its error, and nowhere else. */
const unbroken = (cell: string): string => cell.replaceAll(' ', '\u00a0').replaceAll('\u00a0±', ' ±');

/** `2026-01-31 18:05 UTC` */
const dateText = (date: Date): string => `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;

function tableMarkup({ title, columns, rows }: Table): string {
  const cells = (tag: 'th' | 'td', line: readonly string[]): string =>
    line
      .map((cell, i) => {
        const { align, header } = columns[i]!;
        const attributes = `${align === 'right' ? '' : ' class="left"'}${tag === 'td' && cell !== '' ? ` data-column="${escapeMarkup(header)}"` : ''}`;
        return `<${tag}${attributes}>${escapeMarkup(align === 'right' && tag === 'td' ? unbroken(cell) : cell)}</${tag}>`;
      })
      .join('');
  const body = rows
    .map(
      (row) =>
        `<tr>${cells(
          'td',
          columns.map((_, i) => row[i] ?? ''),
        )}</tr>`,
    )
    .join('\n');
  const head = cells(
    'th',
    columns.map(({ header }) => header),
  );
  return `<h2>${escapeMarkup(title)}</h2>\n<div class="scroll"><table>\n<tr>${head}</tr>\n${body}\n</table></div>`;
}

function plots(results: Results): Plot[] {
  const { base } = results;
  const evaluations = results.models.filter(isEvaluation);
  const [unit, unitName] = evaluations.some(({ fileBytes }) => fileBytes >= gib) ? [gib, 'GiB'] : [gib / 1024, 'MiB'];
  const points = (of: (evaluation: Evaluation) => { value: number; error: number } | undefined): PlotPoint[] =>
    evaluations.flatMap((evaluation) => {
      const estimate = of(evaluation);
      if (!estimate) return [];
      const label = evaluation.model.replace(/\.gguf$/, '');
      return [{ label, x: evaluation.fileBytes / unit, y: estimate.value, error: estimate.error }];
    });
  const xLabel = `file size, ${unitName}`;
  return [
    {
      xLabel,
      title: 'KL divergence from the base against size',
      yLabel: 'mean KLD (nats)',
      logarithmic: true,
      points: points(({ divergence }) => divergence?.kld),
    },
    {
      xLabel,
      title: 'ln(PPL / PPL of the base) against size',
      yLabel: 'ln PPL ratio',
      reference: { label: 'base', y: 0 },
      points: points(({ divergence }) => divergence?.lnRatio),
    },
    {
      xLabel,
      title: 'Perplexity against size',
      yLabel: 'PPL',
      reference: base && { label: 'base', y: base.ppl },
      points: points(({ ppl, error }) => (ppl === undefined ? undefined : { value: ppl, error: error! })),
    },
  ];
}

function plotMarkup(plot: Plot): string {
  const svg = plotSvg(plot);
  return svg ? `<h2>${escapeMarkup(plot.title)}</h2>\n<div class="scroll">${svg}</div>` : '';
}

const tensorErrorMarkup = (errors: TensorErrors): string =>
  `<h2>Relative RMSE of the tensors of ${escapeMarkup(errors.model)}</h2>\n<details open><summary>each tensor</summary>\n<div class="scroll">${tensorErrorSvg(errors)}</div>\n</details>`;

const gib = 2 ** 30;
