// Scales as stored → f32, every one of them finite.
import { codecOf, type DType } from '@quern/blocks';
import { QuernError } from '@quern/errors';
import { placeOf } from './proofs.ts';
import type { StoredTensor } from './stored-tensor.ts';

/** The dtypes that scales of integers come in. */
export const SCALE_DTYPES = ['F16', 'BF16', 'F32'] as const;

/** MX scales: powers of two in a byte, which files call U8 as often as F8_E8M0. */
export const POWER_DTYPES = ['U8', 'F8_E8M0'] as const;

/** F8_E8M0 → 2^(e − 127); 255 is NaN. */
export const powerOf = (byte: number): number => (byte === 255 ? Number.NaN : 2 ** (byte - 127));

/**
 * Decodes scales; `what` is the tensor to blame.
 * @throws QuernError `packed-scale-not-finite`
 */
export function decodeScales(what: StoredTensor, bytes: Uint8Array, into: Float32Array): void {
  if ((POWER_DTYPES as readonly string[]).includes(what.dtype.name)) {
    for (let i = 0; i < bytes.length; i++) into[i] = powerOf(bytes[i]);
  } else codecOf(what.dtype).decode(bytes, into);
  for (let i = 0; i < into.length; i++) {
    if (!Number.isFinite(into[i])) refuseScale(what, into[i]);
  }
}

/** @throws QuernError `packed-scale-not-finite` always */
export function refuseScale(what: StoredTensor, value: number): never {
  throw new QuernError('packed-scale-not-finite', `${what.name} holds ${value}, which is no scale.`, {
    ...placeOf(what),
    remedy: 'The checkpoint is damaged, or its quantization failed: get it again.',
  });
}

/** Rows `first…` of a tensor of scales. */
export async function readScales(what: StoredTensor, first: number, count: number): Promise<Float32Array> {
  const bytes = new Uint8Array(count * what.rowBytes);
  await what.readRows(first, count, bytes);
  const scales = new Float32Array(count * what.cols);
  decodeScales(what, bytes, scales);
  return scales;
}

/**
 * f32 → scales of `dtype`.
 * @throws QuernError `pack-scale-overflow` when a finite scale is beyond its range, or one is not finite
 */
export function encodeScales(values: Float32Array, dtype: DType, what: string): Uint8Array {
  const codec = codecOf(dtype);
  const bytes = new Uint8Array(values.length * dtype.typeSize);
  codec.encode(values, bytes, values.length);
  const back = new Float32Array(values.length);
  codec.decode(bytes, back);
  for (let i = 0; i < back.length; i++) {
    if (Number.isFinite(back[i])) continue;
    throw new QuernError('pack-scale-overflow', `${what} holds ${values[i]}, which ${dtype.name} cannot store.`, {
      remedy: 'Use BF16 or F32 scales, or look for the cause in the weights.',
    });
  }
  return bytes;
}
