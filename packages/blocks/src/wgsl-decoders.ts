// dtype → WGSL that decodes it, for kernels that read stored weights on a GPU. One line per room.
//
// A kernel binds the weights as `w: array<u32>` and calls
//   decode32(at, i) -> array<vec4<f32>, 8>   weights i … i + 31 of the block at byte `at` of `w`; i is a multiple of 32
//   decode1(at, i) -> f32                    one weight; only of plain types, for the end of a row
// A plain type has no blocks: `at` is where the row begins. A decoder gives the numbers of the room's reference, but for
// what WGSL leaves open (a fused multiply-add).
// A decoder may use what wgsl-reading.ts offers, and those of types with grids a table (wgslTable).
import { bf16Wgsl } from './bf16/decode.wgsl.ts';
import type { DType } from './dtype.ts';
import { f16Wgsl } from './f16/decode.wgsl.ts';
import { f32Wgsl } from './f32/decode.wgsl.ts';
import { tableOf } from './grids/grid.wgsl.ts';
import { iq1Points, iq2sPoints, iq2xsPoints, iq2xxsPoints, iq3sPoints, iq3xxsPoints } from './grids/points.ts';
import { iq1MWgsl } from './iq1-m/decode.wgsl.ts';
import { iq1SWgsl } from './iq1-s/decode.wgsl.ts';
import { iq2SWgsl } from './iq2-s/decode.wgsl.ts';
import { iq2XsWgsl } from './iq2-xs/decode.wgsl.ts';
import { iq2XxsWgsl } from './iq2-xxs/decode.wgsl.ts';
import { iq3SWgsl } from './iq3-s/decode.wgsl.ts';
import { iq3XxsWgsl } from './iq3-xxs/decode.wgsl.ts';
import { iq4NlWgsl } from './iq4-nl/decode.wgsl.ts';
import { iq4XsWgsl } from './iq4-xs/decode.wgsl.ts';
import { mxfp4Wgsl } from './mxfp4/decode.wgsl.ts';
import { nvfp4Wgsl } from './nvfp4/decode.wgsl.ts';
import { q1_0Wgsl } from './q1-0/decode.wgsl.ts';
import { q2_0Wgsl } from './q2-0/decode.wgsl.ts';
import { q2KWgsl } from './q2-k/decode.wgsl.ts';
import { q3KWgsl } from './q3-k/decode.wgsl.ts';
import { q4_0Wgsl } from './q4-0/decode.wgsl.ts';
import { q4_1Wgsl } from './q4-1/decode.wgsl.ts';
import { q4KWgsl } from './q4-k/decode.wgsl.ts';
import { q5_0Wgsl } from './q5-0/decode.wgsl.ts';
import { q5_1Wgsl } from './q5-1/decode.wgsl.ts';
import { q5KWgsl } from './q5-k/decode.wgsl.ts';
import { q6KWgsl } from './q6-k/decode.wgsl.ts';
import { q8_0Wgsl } from './q8-0/decode.wgsl.ts';
import { tq1_0Wgsl } from './tq1-0/decode.wgsl.ts';
import { tq2_0Wgsl } from './tq2-0/decode.wgsl.ts';
import { wgslReading } from './wgsl-reading.ts';

const decoders: Readonly<Record<string, string>> = {
  F32: f32Wgsl,
  F16: f16Wgsl,
  BF16: bf16Wgsl,
  Q1_0: q1_0Wgsl,
  Q2_0: q2_0Wgsl,
  Q4_0: q4_0Wgsl,
  Q4_1: q4_1Wgsl,
  Q5_0: q5_0Wgsl,
  Q5_1: q5_1Wgsl,
  Q8_0: q8_0Wgsl,
  Q2_K: q2KWgsl,
  Q3_K: q3KWgsl,
  Q4_K: q4KWgsl,
  Q5_K: q5KWgsl,
  Q6_K: q6KWgsl,
  IQ4_NL: iq4NlWgsl,
  IQ4_XS: iq4XsWgsl,
  IQ3_S: iq3SWgsl,
  IQ3_XXS: iq3XxsWgsl,
  IQ2_S: iq2SWgsl,
  IQ2_XS: iq2XsWgsl,
  IQ2_XXS: iq2XxsWgsl,
  IQ1_M: iq1MWgsl,
  IQ1_S: iq1SWgsl,
  TQ2_0: tq2_0Wgsl,
  TQ1_0: tq1_0Wgsl,
  MXFP4: mxfp4Wgsl,
  NVFP4: nvfp4Wgsl,
};

const points: Readonly<Record<string, Uint16Array>> = {
  IQ3_S: iq3sPoints,
  IQ3_XXS: iq3xxsPoints,
  IQ2_S: iq2sPoints,
  IQ2_XS: iq2xsPoints,
  IQ2_XXS: iq2xxsPoints,
  IQ1_M: iq1Points,
  IQ1_S: iq1Points,
};
const tables = new Map<Uint16Array, Uint32Array>();

/** Names of the types that WGSL kernels can read. */
export const wgslTypes: readonly string[] = Object.keys(decoders);

/** The functions that decode `dtype`, or undefined when WGSL kernels cannot read it. */
export function wgslDecoder(dtype: DType): string | undefined {
  return Object.hasOwn(decoders, dtype.name) ? wgslReading(dtype) + decoders[dtype.name] : undefined;
}

/** What a decoder finds in `table: array<u32>`, which the kernel binds; undefined for decoders without one. */
export function wgslTable({ name }: DType): Uint32Array | undefined {
  if (!Object.hasOwn(points, name)) return undefined;
  const known = tables.get(points[name]);
  if (known) return known;
  const table = tableOf(points[name]);
  tables.set(points[name], table);
  return table;
}
