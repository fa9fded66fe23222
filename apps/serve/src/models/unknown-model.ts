// What a request gets that names a model which is not here.
import { nearest } from '@quern/errors';
import { ApiError } from '../api-error.ts';

/** More would be a wall of text. */
const mostListed = 20;
/** No model has a longer one; a client may send megabytes. */
const longestTold = 256;

export function unknownModel(name: string, known: readonly string[]): ApiError {
  const similar = nearest(name, known);
  const has =
    similar.length > 0
      ? `Did you mean ${similar.map(quoted).join(' or ')}?`
      : `This server has ${known.slice(0, mostListed).map(quoted).join(', ')}${known.length > mostListed ? ', …' : ''}.`;
  const told = name.slice(0, longestTold);
  return new ApiError(404, 'model_not_found', `The model "${told}" is not served here. ${has}`, { param: 'model' });
}

const quoted = (name: string): string => `"${name}"`;
