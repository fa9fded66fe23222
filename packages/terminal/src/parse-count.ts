// Numbers given as options.
import { QuernError } from '@quern/errors';

/**
 * A whole number from 1 to `max`, or undefined when the option was not given.
 * @throws QuernError `usage-bad-number` naming the option
 */
export function parseCount(option: string, text: string | undefined, max: number): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= max) return value;
  throw new QuernError('usage-bad-number', `${option} must be a number from 1 to ${max}, not '${text}'.`);
}
