// The report: one HTML file that needs nothing else, no network and no script, and follows dark and light.
import type { Evaluation, Results } from '../results.ts';
import { isEvaluation, reportTables, type Table } from '../table.ts';
import { escapeMarkup } from './markup.ts';
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
  th, td { padding: 0.25rem 0.6rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
  th.left, td.left { text-align: left; } th { color: var(--faint); font-weight: 600; }
  svg { width: 100%; max-width: 60rem; height: auto; font: 12px system-ui, sans-serif; }
  svg text { fill: var(--text); } svg text.tick { fill: var(--faint); } svg .grid { stroke: var(--line); }
  svg .reference { stroke: var(--faint); stroke-dasharray: 4 4; }
  svg .point path { stroke: var(--accent); fill: none; } svg .point circle { fill: var(--accent); }
  svg .bar { fill: var(--accent); }
  p.note { color: var(--faint); }`;

export function reportPage(results: Results, tensorErrors: readonly TensorErrors[] = []): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>quern eval</title>
<style>${style}
</style>
</head>
<body>
<h1>quern eval</h1>
<p class="note">${escapeMarkup(described(results))}</p>
${reportTables(results).map(tableMarkup).join('\n')}
${plots(results).map(plotMarkup).join('\n')}
${tensorErrors.map(tensorErrorMarkup).join('\n')}
<p class="note">± and error bars are one standard deviation. Bits per weight are those of the tensors. Formulas: docs/evaluation.md of quern.</p>
</body>
</html>
`;
}

function described({ text, profile, contextTokens, strideTokens, shard, base }: Results): string {
  const parts = [
    text && `Text ${text}.`,
    profile &&
      `Profile ${profile}, windows of ${contextTokens} tokens${strideTokens ? `, stride ${strideTokens}` : ''}.`,
    shard && `Only shard ${shard}.`,
    base && `Base ${base.model}.`,
  ];
  return parts.filter(Boolean).join(' ');
}

function tableMarkup({ title, columns, rows }: Table): string {
  const cells = (tag: 'th' | 'td', line: readonly string[]): string =>
    line
      .map((cell, i) => `<${tag}${columns[i]!.align === 'right' ? '' : ' class="left"'}>${escapeMarkup(cell)}</${tag}>`)
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
  const points = (of: (evaluation: Evaluation) => { value: number; error: number } | undefined): PlotPoint[] =>
    evaluations.flatMap((evaluation) => {
      const estimate = of(evaluation);
      if (!estimate) return [];
      return [
        {
          label: shortName(evaluation.model),
          x: evaluation.fileBytes / unit,
          y: estimate.value,
          error: estimate.error,
        },
      ];
    });
  const [unit, unitName] = evaluations.some(({ fileBytes }) => fileBytes >= gib) ? [gib, 'GiB'] : [gib / 1024, 'MiB'];
  const size = { xLabel: `file size, ${unitName}`, formatX: plain };
  return [
    {
      ...size,
      title: 'KL divergence from the base against size',
      yLabel: 'mean KLD (nats)',
      formatY: (value) => String(Number(value.toPrecision(3))),
      logarithmic: true,
      points: points(({ divergence }) => divergence?.kld),
    },
    {
      ...size,
      title: 'ln(PPL / PPL of the base) against size',
      yLabel: 'ln PPL ratio',
      formatY: plain,
      reference: { label: 'base', y: 0 },
      points: points(({ divergence }) => divergence?.lnRatio),
    },
    {
      ...size,
      title: 'Perplexity against size',
      yLabel: 'PPL',
      formatY: plain,
      reference: base && { label: 'base', y: base.ppl },
      points: points(({ ppl, error }) => (ppl === undefined ? undefined : { value: ppl, error: error! })),
    },
  ];
}

function plotMarkup(plot: Plot): string {
  const svg = plotSvg(plot);
  return svg ? `<h2>${escapeMarkup(plot.title)}</h2>\n${svg}` : '';
}

const tensorErrorMarkup = (errors: TensorErrors): string =>
  `<h2>Relative RMSE of the tensors of ${escapeMarkup(errors.model)}</h2>\n<details open><summary>each tensor</summary>\n${tensorErrorSvg(errors)}\n</details>`;

const gib = 2 ** 30;

/** Without the digits that sums of ticks leave. */
const plain = (value: number): string => String(Math.abs(value) < 1e-12 ? 0 : Number(value.toPrecision(6)));

/** The last part of a path, without its ending. */
const shortName = (model: string): string => {
  const name = model.split('/').filter(Boolean).at(-1) ?? model;
  return name.replace(/\.gguf$/, '').slice(-28);
};
