// matmul for many tokens: a workgroup computes a tile of y. Step by step of 32 columns it decodes its rows of weights and
// copies its tokens of x into workgroup memory, and each lane multiplies 4 tokens with 4 rows from there.
import { each } from '../../webgpu/each.ts';
import type { Shader } from '../../webgpu/kernel.ts';
import { blockPlace, type StoredType } from '../../webgpu/stored-type.ts';
import type { Team } from '../../webgpu/team.ts';

export const TILE_ROWS = 64;
const COLS = 32;
const LANES_PER_ROWS = TILE_ROWS / 4;

/** Tokens of x are stored one apart from a power of two: lanes that write a column would all hit one memory bank. */
const tokenStride = (tokens: number) => tokens + 1;

export const tileLanes = (tokens: number): number => LANES_PER_ROWS * (tokens / 4);

export const tileBytes = (tokens: number, halfTiles: boolean): number =>
  COLS * (TILE_ROWS * (halfTiles ? 2 : 4) + tokenStride(tokens) * 4);

export interface Tile {
  readonly type: StoredType;
  /** 32 or 64. */
  readonly tokens: number;
  /** Decoded weights are kept as f16. */
  readonly half: boolean;
}

/** Fields: T and R as bound, `stride` and `first` of y's rows, `row_bytes` of w. */
export const manyTokens = ({ type, tokens, half }: Tile, bias: boolean): Shader => {
  const lanes = tileLanes(tokens);
  const team: Team = {
    lanes,
    workgroupSize: lanes,
    itemsPerWorkgroup: 1,
    memory: 'workgroup',
    barrier: 'workgroupBarrier();',
    usesSubgroups: false,
  };
  const stride = tokenStride(tokens);
  const plain = type.dtype.blockSize === 1;
  const [kind, store, load] = half ? ['f16', 'f16', 'f32'] : ['f32', '', ''];
  const decode = `let part = decode32(${blockPlace(type, 'row_at', 'c')});
${each(COLS, (k) => `      w_tile[${k * TILE_ROWS}u + lane] = ${store}(part[${k >> 2}].${'xyzw'[k & 3]});`)}`;
  const decodeEnd = `for (var k = 0u; k < ${COLS}u; k++) {
        var value = 0.0;
        if (c + k < p.C) { value = decode1(row_at, c + k); }
        w_tile[k * ${TILE_ROWS}u + lane] = ${store}(value);
      }`;
  return {
    name: `matmul ${type.dtype.name} tile ${tokens}${half ? ' f16' : ''}${bias ? ' bias' : ''}`,
    parts: () => ({
      inputs: bias ? ['x', 'w', 'bias'] : ['x', 'w'],
      fields: ['T', 'C', 'R', 'stride', 'first', 'row_bytes'],
      team,
      declarations: `${type.decoder}
var<workgroup> w_tile: array<${kind}, ${COLS * TILE_ROWS}>;
var<workgroup> x_tile: array<f32, ${COLS * stride}>;
`,
      body: `
  let tiles = (p.R + ${TILE_ROWS - 1}u) / ${TILE_ROWS}u;
  let t = item / tiles * ${tokens}u;
  let r = item % tiles * ${TILE_ROWS}u;
  let my_row = lane % ${LANES_PER_ROWS}u;
  let my_token = lane / ${LANES_PER_ROWS}u;
  let row_at = p.w_base + min(r + lane, p.R - 1u) * p.row_bytes;
${each(4, (i) => `  var sum_${i} = vec4<f32>();`)}
  for (var c = 0u; c < p.C; c += ${COLS}u) {
    if (lane < ${TILE_ROWS}u) {
      ${plain ? `if (c + ${COLS}u > p.C) {\n      ${decodeEnd}\n      } else {\n      ${decode}\n      }` : decode}
    }
    for (var i = lane; i < ${COLS * tokens}u; i += LANES) {
      let k = i % ${COLS}u;
      let token = i / ${COLS}u;
      var value = 0.0;
      if (c + k < p.C) { value = get_x(min(t + token, p.T - 1u) * p.C + c + k); }
      x_tile[k * ${stride}u + token] = value;
    }
    workgroupBarrier();
    for (var k = 0u; k < ${COLS}u; k++) {
      let w_at = k * ${TILE_ROWS}u + my_row;
      let x_at = k * ${stride}u + my_token;
      let part = vec4<f32>(${[0, 1, 2, 3].map((j) => `${load}(w_tile[w_at + ${j * LANES_PER_ROWS}u])`).join(', ')});
${each(4, (i) => `      sum_${i} += x_tile[x_at + ${(i * tokens) / 4}u] * part;`)}
    }
    workgroupBarrier();
  }
${each(4, (i) =>
  each(
    4,
    (j) => `  if (t + my_token + ${(i * tokens) / 4}u < p.T && r + my_row + ${j * LANES_PER_ROWS}u < p.R) {
    let place = p.first + r + my_row + ${j * LANES_PER_ROWS}u;
    put_y((t + my_token + ${(i * tokens) / 4}u) * p.stride + place, sum_${i}.${'xyzw'[j]}${bias ? ' + get_bias(place)' : ''});
  }`,
  ),
)}`,
    }),
  };
};
