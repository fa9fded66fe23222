// Numbers given as options.
import { QuernError } from '@quern/errors';

/**
 * A whole number from `min` to `max`, or undefined when the option was not given.
 * @throws QuernError `usage-bad-number` naming the option and the range
 */
export function parseCount(option: string, text: string | undefined, max: number, min = 1): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new QuernError('usage-bad-number', `${option} must be a number from ${min} to ${max}, not '${text}'.`);
}
