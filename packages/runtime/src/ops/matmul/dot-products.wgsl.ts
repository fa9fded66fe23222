// Dot products of a few rows of stored weights with a few rows of x, each by a team: the inner loop of matmul for few
// tokens and of matmulExperts. A lane takes 32 columns at a time, which it decodes once for all tokens.
import { each } from '../../webgpu/each.ts';
import { blockPlace, type StoredType } from '../../webgpu/stored-type.ts';
import { type ReductionName, reductions, type Team } from '../../webgpu/team.ts';

export interface DotProducts {
  readonly type: StoredType;
  readonly team: Team;
  /** Rows of weights per item. */
  readonly rows: number;
  /** Rows of x per item. */
  readonly tokens: number;
}

const sumName: ReductionName = 'team_sum4';

/** Functions that `dotProducts` calls. */
export const dotProductFunctions = ({ type, team }: DotProducts): string => type.decoder + reductions(team, [sumName]);

/**
 * Statements that leave the product of token t and row r in `sum_<t>_<r>`, for all lanes. They want `row_<r>`, the byte at
 * which a row of weights begins, and `x_<t>`, the index at which a row of x does.
 */
export function dotProducts({ type, team, rows, tokens }: DotProducts): string {
  const plain = type.dtype.blockSize === 1;
  const products = Array.from({ length: rows * tokens }, (_, i) => `sum_${i % tokens}_${Math.floor(i / tokens)}`);
  // One token's x stays in registers over the rows; of several it would not fit, and comes from the cache each time.
  const held = tokens === 1 && rows > 1;
  const x = (t: number, k: number) => (held ? `x_part_${k}` : `get_x4(x_${t} + c + ${4 * k}u)`);
  const dots = (t: number) => Array.from({ length: 8 }, (_, k) => `dot(part[${k}], ${x(t, k)})`).join(' + ');
  return `
${products.map((name) => `  var ${name} = 0.0;`).join('\n')}
  let steps = p.C / 32u;
  for (var step = lane; step < steps; step += LANES) {
    let c = step * 32u;
${held ? each(8, (k) => `    let x_part_${k} = get_x4(x_0 + c + ${4 * k}u);`) : ''}
${each(
  rows,
  (r) => `    {
      let part = decode32(${blockPlace(type, `row_${r}`, 'c')});
${each(tokens, (t) => `      sum_${t}_${r} += ${dots(t)};`)}
    }`,
)}
  }
${
  plain
    ? `  for (var c = steps * 32u + lane; c < p.C; c += LANES) {
${each(rows, (r) => `    let one_${r} = decode1(row_${r}, c);\n${each(tokens, (t) => `    sum_${t}_${r} += one_${r} * get_x(x_${t} + c);`)}`)}
  }`
    : ''
}
${team.lanes > 1 ? combine(products) : ''}`;
}

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
