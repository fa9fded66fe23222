// The statistics of one comparison in the layout of llama-perplexity --kl-divergence, for people and scripts that know it.
import type { Distribution, Divergence, Estimate } from '@quern/perplexity';

const kldRows = ['p99.9', 'p99', 'p95', 'p90', 'median', 'p10', 'p5', 'p1', 'p0.1'] as const;
const deltaRows = ['p99.9', 'p99', 'p95', 'p90', 'p75', 'median', 'p25', 'p10', 'p5', 'p1', 'p0.1'] as const;

export function statisticsText(divergence: Divergence): string {
  const { ppl, basePpl, correlation, lnRatio, ratio, difference, kld, deltaP, rmsDeltaP, sameTop } = divergence;
  const figure = ({ value, error }: Estimate): string =>
    `${value.toFixed(6).padStart(10)} ± ${error.toFixed(6).padStart(10)}`;
  const share = ({ value, error }: Estimate): string => `${percent(value)} ± ${(100 * error).toFixed(3).padStart(5)} %`;
  return [
    '====== Perplexity statistics ======',
    `Mean PPL(Q)                   : ${figure(ppl)}`,
    `Mean PPL(base)                : ${figure(basePpl)}`,
    `Cor(ln(PPL(Q)), ln(PPL(base))): ${(100 * correlation).toFixed(2).padStart(6)}%`,
    `Mean ln(PPL(Q)/PPL(base))     : ${figure(lnRatio)}`,
    `Mean PPL(Q)/PPL(base)         : ${figure(ratio)}`,
    `Mean PPL(Q)-PPL(base)         : ${figure(difference)}`,
    '',
    '====== KL divergence statistics ======',
    `Mean    KLD: ${figure(kld)}`,
    ...distributionRows(kld, 'KLD', kldRows, (value) => value.toFixed(6).padStart(10)),
    '',
    '====== Token probability statistics ======',
    `Mean    Δp: ${share(deltaP)}`,
    ...distributionRows(deltaP, 'Δp', deltaRows, (value) => `${percent(value)}%`),
    `RMS Δp    : ${share(rmsDeltaP)}`,
    `Same top p: ${share(sameTop)}`,
  ].join('\n');
}

function distributionRows(
  { max, min, median, percentiles }: Distribution,
  name: string,
  rows: readonly string[],
  format: (value: number) => string,
): string[] {
  const line = (label: string, value: number): string => `${label.padEnd(7)} ${name}: ${format(value)}`;
  return [
    line('Maximum', max),
    ...rows.map((row) =>
      row === 'median'
        ? line('Median', median)
        : line(`${Number(row.slice(1)).toFixed(1).padStart(4)}%`, percentiles[row]!),
    ),
    line('Minimum', min),
  ];
}

const percent = (share: number): string => (100 * share).toFixed(3).padStart(6);
