import { f16ToF32, f32ToF16 } from '@quern/blocks';

/** The nearest number that F16 holds. */
export const halfRounded = (value: number): number => f16ToF32(f32ToF16(value));
