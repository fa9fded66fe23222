// Keys of config.json that nothing reads: known to be harmless, switched off, or refused.
import { nearest, QuernError } from '@quern/errors';
import type { Architecture } from '../arch/architecture.ts';
import { show } from '../arch/config-error.ts';
import { isHarmless } from './harmless-keys.ts';
import type { TrackedConfig } from './tracked-config.ts';

/**
 * A key that is null, false, 0 or empty switches nothing on: a network from before the key computes the same. Keys whose
 * off position matters are those of known features, and records read them.
 */
function isOff(value: unknown): boolean {
  if (value === null || value === undefined || value === false || value === 0 || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/**
 * @param tracked after everything was read
 * @throws QuernError `config-key-unknown` naming every key that might change the numbers, with the nearest known ones
 */
export function refuseUnread(
  tracked: TrackedConfig,
  architecture: Pick<Architecture, 'family' | 'ignored'>,
  file: string,
): void {
  const { ignored = [] } = architecture;
  const known = (path: string) => path.split('.').some(isHarmless) || ignored.includes(path);
  const offenders = tracked.unread().filter(({ path, value }) => !isOff(value) && !known(path));
  if (offenders.length === 0) return;
  const told = offenders.slice(0, 10).map(({ path, value }) => {
    const [near] = nearest(path, [...tracked.asked()]);
    return `"${path}": ${show(value)}${near ? ` (known: "${near}")` : ''}`;
  });
  const rest = offenders.length - told.length;
  throw new QuernError(
    'config-key-unknown',
    `config.json says what ${architecture.family} models are not known to have, and what may change the numbers: ${told.join('; ')}${rest > 0 ? ` and ${rest} more` : ''}.`,
    { file, remedy: 'If it means nothing for the numbers, delete the key from config.json.' },
  );
}
