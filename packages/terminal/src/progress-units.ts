// What progress counts, and how fast it goes, in words.
import { formatBytes, formatCount, formatDuration } from './units.ts';

export type ProgressUnit = 'bytes' | 'tokens' | 'weights' | 'layers' | 'tasks' | 'texts';

/** `3.20 of 7.80 GiB`, `1.50k tokens`, `3 of 30 layers`. */
export function amountText(unit: ProgressUnit, done: number, total?: number): string {
  if (unit === 'bytes') return total === undefined ? formatBytes(done) : bytesOf(done, total);
  return total === undefined ? `${formatCount(done)} ${unit}` : `${formatCount(done)} of ${formatCount(total)} ${unit}`;
}

/** One unit for both where they have the same: it is said once. */
function bytesOf(done: number, total: number): string {
  const [part, whole] = [formatBytes(done), formatBytes(total)];
  const [figure, unit] = part.split(' ');
  return whole.endsWith(` ${unit}`) ? `${figure} of ${whole}` : `${part} of ${whole}`;
}

/** `212 MiB/s`, `1.6 layers/s`; what is slower than one a second, as the time that one takes: `2.5 s per layer`. */
export function rateText(unit: ProgressUnit, perSecond: number): string | undefined {
  if (!Number.isFinite(perSecond) || perSecond <= 0) return undefined;
  if (unit === 'bytes') return `${formatBytes(perSecond)}/s`;
  if (perSecond < 1) return `${formatDuration(1000 / perSecond)} per ${unit.slice(0, -1)}`;
  return `${perSecond < 10 ? perSecond.toFixed(1) : formatCount(perSecond)} ${unit}/s`;
}
