// Logits that are no numbers. NaN and infinity come from broken weights or an overflow; sampling from them would only look
// like a reply.
import { QuernError } from '@quern/errors';

export function areFinite(logits: Float32Array): boolean {
  let zero = 0;
  for (let i = 0; i < logits.length; i++) zero += logits[i] * 0;
  return zero === 0;
}

/** @param place what gave them first, when the batch was computed once more */
export function notFinite(position: number, place: string | undefined): QuernError {
  const origin = place === undefined ? 'computed once more, they do not' : `they first appear in ${place}`;
  const remedy =
    place === undefined
      ? 'The device computes unreliably: check it, or use another one.'
      : 'The weights may be damaged, or too large for their type.';
  const message = `The model's logits at position ${position} hold NaN or infinity; ${origin}.`;
  return new QuernError('logits-not-finite', message, { remedy });
}
