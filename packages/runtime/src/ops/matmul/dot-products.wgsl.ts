// Dot products of a few rows of stored weights with a few rows of x, each by a team: the inner loop of matmul for few
// tokens and of matmulExperts. A lane takes 32 columns at a time, which it reads once for all tokens: as floats, or as
// integers that meet activations in 8 bits.
import { each } from '../../webgpu/each.ts';
import { blockPlace, type StoredType } from '../../webgpu/stored-type.ts';
import { type ReductionName, reductions, type Team } from '../../webgpu/team.ts';
import { integerProductWgsl } from './rounded-activations.wgsl.ts';

export interface DotProducts {
  readonly type: StoredType;
  readonly team: Team;
  /** Rows of weights per item. */
  readonly rows: number;
  /** Rows of x per item. */
  readonly tokens: number;
  /** Weights as integers, and x as `roundRows` leaves it in scratch memory. */
  readonly integers: boolean;
}

const sumName: ReductionName = 'team_sum4';

/** All that tells one set of dot products from another. */
export const nameOf = ({ type, team, rows, tokens, integers }: DotProducts): string =>
  `${type.dtype.name} ${team.lanes} ${rows}x${tokens}${integers ? ' integers' : ''}`;

/** Functions that `dotProducts` calls. */
export const dotProductFunctions = ({ type, team, integers }: DotProducts): string =>
  (integers ? type.integers + integerProductWgsl : type.decoder) + reductions(team, [sumName]);

/**
 * Statements that leave the product of token t and row r in `sum_<t>_<r>`, for all lanes. They want `row_<r>`, the byte at
 * which a row of weights begins, and `x_<t>`, the number of a row of x.
 */
export function dotProducts(shape: DotProducts): string {
  const { type, team, rows, tokens, integers } = shape;
  const products = Array.from({ length: rows * tokens }, (_, i) => `sum_${i % tokens}_${Math.floor(i / tokens)}`);
  const { load, part, product } = integers ? asIntegers(shape) : asFloats(shape);
  // One token's x stays in registers over the rows; of several it would not fit, and comes from the cache each time.
  const held = tokens === 1 && rows > 1;
  return `
${products.map((name) => `  var ${name} = 0.0;`).join('\n')}
  let steps = p.C / 32u;
  for (var step = lane; step < steps; step += LANES) {
    let c = step * 32u;
${held ? load(0) : ''}
${each(
  rows,
  (r) => `    {
      ${part(r)}
${each(tokens, (t) => `${held ? '' : `      {\n${load(t)}\n`}      sum_${t}_${r} += ${product};${held ? '' : '\n      }'}`)}
    }`,
)}
  }
${type.dtype.blockSize === 1 ? rest(rows, tokens) : ''}
${team.lanes > 1 ? combine(products) : ''}`;
}

const asFloats = ({ type }: DotProducts) => ({
  load: (t: number) => each(8, (k) => `    let x_part_${k} = get_x4(x_${t} * p.C + c + ${4 * k}u);`),
  part: (r: number) => `let part = decode32(${blockPlace(type, `row_${r}`, 'c')});`,
  product: Array.from({ length: 8 }, (_, k) => `dot(part[${k}], x_part_${k})`).join(' + '),
});

const asIntegers = ({ type }: DotProducts) => ({
  load: (t: number) => each(3, (k) => `    let x_part_${k} = scratch[(x_${t} * steps + step) * 3u + ${k}u];`),
  part: (r: number) => `let part = integers32(${blockPlace(type, `row_${r}`, 'c')});`,
  product: `weigh(part.scales, part.shifts, part.least, part.units,
        vec2<i32>(dot16(part.codes[0], x_part_0), dot16(part.codes[1], x_part_1)), x_part_2)`,
});

/** Columns beyond the last 32, of plain types. */
const rest = (rows: number, tokens: number): string => `  for (var c = steps * 32u + lane; c < p.C; c += LANES) {
${each(rows, (r) => `    let one_${r} = decode1(row_${r}, c);\n${each(tokens, (t) => `    sum_${t}_${r} += one_${r} * get_x(x_${t} * p.C + c);`)}`)}
  }`;

/** Four sums per reduction. */
function combine(products: readonly string[]): string {
  const fours = Array.from({ length: Math.ceil(products.length / 4) }, (_, i) => products.slice(4 * i, 4 * i + 4));
  return fours
    .map((four, i) => {
      const padded = [...four, '0.0', '0.0', '0.0'].slice(0, 4);
      return `  let all_${i} = ${sumName}(vec4<f32>(${padded.join(', ')}), lane);
${four.map((name, k) => `  ${name} = all_${i}.${'xyzw'[k]};`).join('\n')}`;
    })
    .join('\n');
}
