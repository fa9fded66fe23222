// dtype → reference codec. One line per room.
import { QuernError } from '@quern/errors';
import { bf16 } from './bf16/reference.ts';
import type { Codec } from './codec.ts';
import type { DType } from './dtype.ts';
import { f8E4m3, f8E5m2 } from './f8/reference.ts';
import { f16 } from './f16/reference.ts';
import { f32 } from './f32/reference.ts';
import { checkImportance } from './importance.ts';
import { iq1M } from './iq1-m/reference.ts';
import { iq1S } from './iq1-s/reference.ts';
import { iq2S } from './iq2-s/reference.ts';
import { iq2Xs } from './iq2-xs/reference.ts';
import { iq2Xxs } from './iq2-xxs/reference.ts';
import { iq3S } from './iq3-s/reference.ts';
import { iq3Xxs } from './iq3-xxs/reference.ts';
import { iq4Nl } from './iq4-nl/reference.ts';
import { iq4Xs } from './iq4-xs/reference.ts';
import { mxfp4 } from './mxfp4/reference.ts';
import { nvfp4 } from './nvfp4/reference.ts';
import { q1_0 } from './q1-0/reference.ts';
import { q2_0 } from './q2-0/reference.ts';
import { q2K } from './q2-k/reference.ts';
import { q3K } from './q3-k/reference.ts';
import { q4_0 } from './q4-0/reference.ts';
import { q4_1 } from './q4-1/reference.ts';
import { q4K } from './q4-k/reference.ts';
import { q5_0 } from './q5-0/reference.ts';
import { q5_1 } from './q5-1/reference.ts';
import { q5K } from './q5-k/reference.ts';
import { q6K } from './q6-k/reference.ts';
import { q8_0 } from './q8-0/reference.ts';
import { tq1_0 } from './tq1-0/reference.ts';
import { tq2_0 } from './tq2-0/reference.ts';

const codecs: Readonly<Record<string, Codec>> = {
  F32: f32,
  F16: f16,
  BF16: bf16,
  F8_E4M3: f8E4m3,
  F8_E5M2: f8E5m2,
  Q1_0: q1_0,
  Q2_0: q2_0,
  Q4_0: q4_0,
  Q4_1: q4_1,
  Q5_0: q5_0,
  Q5_1: q5_1,
  Q8_0: q8_0,
  Q2_K: q2K,
  Q3_K: q3K,
  Q4_K: q4K,
  Q5_K: q5K,
  Q6_K: q6K,
  IQ4_NL: iq4Nl,
  IQ4_XS: iq4Xs,
  TQ1_0: tq1_0,
  TQ2_0: tq2_0,
  MXFP4: mxfp4,
  NVFP4: nvfp4,
  IQ2_XXS: iq2Xxs,
  IQ2_XS: iq2Xs,
  IQ2_S: iq2S,
  IQ3_XXS: iq3Xxs,
  IQ3_S: iq3S,
  IQ1_S: iq1S,
  IQ1_M: iq1M,
};

/** Whether `codecOf` knows `dtype`. */
export const hasCodec = (dtype: DType): boolean => Object.hasOwn(codecs, dtype.name);

/**
 * The reference codec of `dtype`, checking its arguments on every call.
 * @throws QuernError `dtype-without-codec`; its functions throw `codec-size-mismatch` and what `checkImportance` throws
 */
export function codecOf(dtype: DType): Codec {
  if (!hasCodec(dtype)) {
    throw new QuernError('dtype-without-codec', `Weights stored as ${dtype.name} cannot be read or written yet.`, {
      remedy: `Use one of ${Object.keys(codecs).join(', ')}.`,
    });
  }
  const codec = codecs[dtype.name];
  const check = (values: Float32Array, bytes: Uint8Array) => {
    if (values.length % dtype.blockSize === 0 && bytes.length === (values.length / dtype.blockSize) * dtype.typeSize)
      return;
    throw new QuernError(
      'codec-size-mismatch',
      `${values.length} weights do not fit ${bytes.length} bytes of ${dtype.name} (${dtype.typeSize} bytes per ${dtype.blockSize} weights).`,
    );
  };
  return {
    ...codec,
    decode(bytes, values) {
      check(values, bytes);
      codec.decode(bytes, values);
    },
    encode(values, bytes, cols, importance) {
      check(values, bytes);
      checkImportance(dtype, codec, cols, importance);
      codec.encode(values, bytes, cols, importance);
    },
  };
}
