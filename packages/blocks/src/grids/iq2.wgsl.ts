// What IQ2_XXS, IQ2_XS and IQ2_S have in common on GPUs: 32 weights are four points with eight signs each.
import { eightVectors } from '../wgsl-vectors.ts';
import { gridWgsl } from './grid.wgsl.ts';

export interface Iq2Parts {
  /** Statements that the expressions below need; they see `at` and `i`. */
  readonly begin: string;
  /** Rank of point g, its sign bits, and (sc + ½)/4 without the unit. */
  readonly rank: (g: number) => string;
  readonly signs: (g: number) => string;
  readonly scale: (g: number) => string;
}

export const iq2Wgsl = ({ begin, rank, signs, scale }: Iq2Parts): string => `${gridWgsl}
fn magnitudes_of(point: u32, h: u32) -> vec4<f32> {
  return vec4<f32>(vec4<u32>(8u) + ((35u * two_bits_of(point, h)) >> vec4<u32>(1u)));
}
fn decode32(at: u32, i: u32) -> array<vec4<f32>, 8> {
  let d = half_at(at);
${begin}
${[0, 1, 2, 3]
  .map(
    (g) => `  let point_${g} = point_at(${rank(g)});
  let signs_${g} = ${signs(g)};
  let scale_${g} = d * (f32(${scale(g)}) + 0.5) * 0.25;`,
  )
  .join('\n')}
  return ${eightVectors((k) => {
    const [g, h] = [k >> 1, k & 1];
    return `scale_${g} * magnitudes_of(point_${g}, ${h}u) * signs_of(signs_${g}, ${h}u)`;
  })};
}
`;
