// The tile of many-tokens.wgsl.ts with weights as integers and activations in 8 bits: a step of 32 columns is a record of
// each token and the integers of each row, and a lane multiplies the codes of 4 × 4 pairs.
import { each } from '../../webgpu/each.ts';
import { blockPlace, type StoredType } from '../../webgpu/stored-type.ts';
import { integerProductWgsl } from './rounded-activations.wgsl.ts';
import { LANES_PER_ROWS, storeTile, TILE_ROWS, type TilePlaces, tileLanesWgsl } from './tile.ts';

export const integerTileBytes = (tokens: number): number => TILE_ROWS * (32 + 16 + 16) + tokens * 48;

export interface IntegerTile {
  readonly type: StoredType;
  /** 32 or 64. */
  readonly tokens: number;
}

export const integerTileDeclarations = ({ type, tokens }: IntegerTile): string => `${type.integers}${integerProductWgsl}
var<workgroup> w_codes: array<vec4<u32>, ${2 * TILE_ROWS}>;
var<workgroup> w_scales: array<vec4<i32>, ${TILE_ROWS}>; // scales, shifts
var<workgroup> w_units: array<vec4<f32>, ${TILE_ROWS}>; // units, least
var<workgroup> x_records: array<vec4<u32>, ${3 * tokens}>;
`;

const indices = [0, 1, 2, 3];

/** Wants the records in scratch memory, and the fields C and row_bytes. */
export function integerTileBody({ type, tokens }: IntegerTile, places: TilePlaces): string {
  const row = (j: number) => `my_row + ${j * LANES_PER_ROWS}u`;
  const token = (i: number) => `my_token + ${(i * tokens) / 4}u`;
  return `${places.begin}${tileLanesWgsl}
  let row_at = ${places.wRow(`min(r + lane, rows - 1u)`)};
  let steps = p.C / 32u;
${each(4, (i) => `  var sum_${i} = vec4<f32>();`)}
  for (var step = 0u; step < steps; step++) {
    let c = step * 32u;
    if (lane < ${TILE_ROWS}u) {
      let part = integers32(${blockPlace(type, 'row_at', 'c')});
      w_codes[lane] = part.codes[0];
      w_codes[lane + ${TILE_ROWS}u] = part.codes[1];
      w_scales[lane] = vec4<i32>(part.scales, part.shifts);
      w_units[lane] = vec4<f32>(part.units, f32(part.least), 0.0);
    }
    for (var i = lane; i < ${3 * tokens}u; i += LANES) {
      let token = i / 3u;
      x_records[i % 3u * ${tokens}u + token] = scratch[(${places.xRow('token')} * steps + step) * 3u + i % 3u];
    }
    workgroupBarrier();
${indices.map((i) => indices.map((j) => `    var dots_${i}_${j} = vec2<i32>();`).join('\n')).join('\n')}
${each(
  2,
  (half) => `    {
${each(4, (i) => `      let x_${i} = x_records[${half * tokens}u + ${token(i)}];`)}
${each(4, (j) => `      let w_${j} = w_codes[${half * TILE_ROWS}u + ${row(j)}];`)}
${each(4, (i) => each(4, (j) => `      dots_${i}_${j}[${half}] = dot16(w_${j}, x_${i});`))}
    }`,
)}
${each(4, (i) => `    let rest_${i} = x_records[${2 * tokens}u + ${token(i)}];`)}
${each(
  4,
  (j) => `    {
      let fit = w_scales[${row(j)}];
      let units = w_units[${row(j)}];
${each(4, (i) => `      sum_${i}.${'xyzw'[j]} += weigh(fit.xy, fit.zw, i32(units.z), units.xy, dots_${i}_${j}, rest_${i});`)}
    }`,
)}
    workgroupBarrier();
  }
${storeTile(tokens, places, (i, j) => `sum_${i}.${'xyzw'[j]}`)}`;
}
