// matmul for many tokens: a workgroup computes a tile of y (tile.ts). Step by step of 32 columns it decodes its rows of
// weights and copies its tokens of x into workgroup memory, and each lane multiplies 4 tokens with 4 rows from there.
import { each } from '../../webgpu/each.ts';
import { blockPlace, type StoredType } from '../../webgpu/stored-type.ts';
import { LANES_PER_ROWS, storeTile, TILE_ROWS, type TilePlaces, tileLanesWgsl } from './tile.ts';

const COLS = 32;

/** Tokens of x are stored one apart from a power of two: lanes that write a column would all hit one memory bank. */
const tokenStride = (tokens: number) => tokens + 1;

export const floatTileBytes = (tokens: number, half: boolean): number =>
  COLS * (TILE_ROWS * (half ? 2 : 4) + tokenStride(tokens) * 4);

export interface FloatTile {
  readonly type: StoredType;
  /** 32 or 64. */
  readonly tokens: number;
  /** Decoded weights are kept as f16. */
  readonly half: boolean;
}

export const floatTileDeclarations = ({ type, tokens, half }: FloatTile): string => `${type.decoder}
var<workgroup> w_tile: array<${half ? 'f16' : 'f32'}, ${COLS * TILE_ROWS}>;
var<workgroup> x_tile: array<f32, ${COLS * tokenStride(tokens)}>;
`;

/** Wants x bound, and the fields C and row_bytes. */
export function floatTileBody({ type, tokens, half }: FloatTile, places: TilePlaces): string {
  const stride = tokenStride(tokens);
  const [store, load] = half ? ['f16', 'f32'] : ['', ''];
  const decode = `let part = decode32(${blockPlace(type, 'row_at', 'c')});
${each(COLS, (k) => `      w_tile[${k * TILE_ROWS}u + lane] = ${store}(part[${k >> 2}].${'xyzw'[k & 3]});`)}`;
  const decodeEnd = `for (var k = 0u; k < ${COLS}u; k++) {
        var value = 0.0;
        if (c + k < p.C) { value = decode1(row_at, c + k); }
        w_tile[k * ${TILE_ROWS}u + lane] = ${store}(value);
      }`;
  return `${places.begin}${tileLanesWgsl}
  let row_at = ${places.wRow(`min(r + lane, rows - 1u)`)};
${each(4, (i) => `  var sum_${i} = vec4<f32>();`)}
  for (var c = 0u; c < p.C; c += ${COLS}u) {
    if (lane < ${TILE_ROWS}u) {
      ${type.dtype.blockSize === 1 ? `if (c + ${COLS}u > p.C) {\n      ${decodeEnd}\n      } else {\n      ${decode}\n      }` : decode}
    }
    for (var i = lane; i < ${COLS * tokens}u; i += LANES) {
      let k = i % ${COLS}u;
      let token = i / ${COLS}u;
      var value = 0.0;
      if (c + k < p.C) { value = get_x(${places.xRow('token')} * p.C + c + k); }
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
${storeTile(tokens, places, (i, j) => `sum_${i}.${'xyzw'[j]}`)}`;
}
