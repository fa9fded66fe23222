// Which adapters a request asks for, and what that means for sharing: keys and values that were computed with other adapters, or with
// others of their scales, are others.
import { QuernError } from '@quern/errors';
import type { AdapterScale } from '../request.ts';

/** llama.cpp's adapters are made for scales around 1; what is far beyond overflows. */
const mostScale = 1e4;

/**
 * @param count adapters of the model
 * @returns [count], or undefined when none is on
 * @throws QuernError `request-invalid`
 */
export function scalesOf(adapters: readonly AdapterScale[], count: number): Float32Array | undefined {
  const scales = new Float32Array(count);
  for (const { id, scale } of adapters) {
    if (!Number.isInteger(id) || id < 0 || id >= count)
      throw new QuernError(
        'request-invalid',
        `There is no adapter ${id}; ${count === 0 ? 'none is loaded' : `they are numbered from 0 to ${count - 1}`}.`,
      );
    if (!(Math.abs(scale) <= mostScale))
      throw new QuernError(
        'request-invalid',
        `The scale of adapter ${id} is ${scale}; it must be from -${mostScale} to ${mostScale}.`,
      );
    scales[id] = scale;
  }
  return scales.some((scale) => scale !== 0) ? scales : undefined;
}

/** Equal for equal adapters with equal scales, and empty without any. */
export const scopeOf = (scales: Float32Array | undefined): string =>
  scales ? [...scales].flatMap((scale, id) => (scale === 0 ? [] : [`${id}=${scale}`])).join(' ') : '';
