// What a request gets that names a model which is not here.
import { nearest } from '@quern/errors';
import { ApiError } from '../api-error.ts';

/** More would be a wall of text. */
const mostListed = 20;
/** No model has a longer one; a client may send megabytes. */
const longestTold = 256;

export function unknownModel(name: string, known: readonly string[]): ApiError {
  const message = `The model "${name.slice(0, longestTold)}" is not served here. ${insteadOf(name, known)}`;
  return new ApiError(404, 'model_not_found', message, { param: 'model' });
}

function insteadOf(name: string, known: readonly string[]): string {
  const similar = nearest(name, known);
  if (similar.length > 0) return `Did you mean ${similar.map(quoted).join(' or ')}?`;
  if (known.length === 0) return 'This server has no models yet.';
  return `This server has ${known.slice(0, mostListed).map(quoted).join(', ')}${known.length > mostListed ? ', …' : ''}.`;
}

export function goneModel(name: string): ApiError {
  const message = `The model "${name}" is not here any more: its files, or its description, were removed.`;
  return new ApiError(404, 'model_not_found', message, { param: 'model' });
}

const quoted = (name: string): string => `"${name}"`;
