import { QuernError } from '@quern/errors';

/** @throws QuernError `usage-bad-number` naming the flag and the range */
export function parseNumber(flag: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= min && value <= max) return value;
  throw new QuernError('usage-bad-number', `${flag} must be a number from ${min} to ${max}, not '${text}'.`);
}
