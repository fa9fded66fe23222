// Which matmul kernel for how many tokens, and how it is cut where weights or tokens lie in several buffers.
import { rowBytes } from '@quern/blocks';
import type { Capabilities } from '../../webgpu/capabilities.ts';
import type { Dispatch, Shader, WgslKernel } from '../../webgpu/kernel.ts';
import type { StoredType } from '../../webgpu/stored-type.ts';
import { teamOf } from '../../webgpu/team.ts';
import { fewTokens } from './few-tokens.wgsl.ts';
import { roundedParts, roundRows } from './rounded-activations.wgsl.ts';
import { TILE_ROWS, type TilePlaces } from './tile.ts';
import { chooseTile, type TileChoice } from './tile-choice.wgsl.ts';

/** Up to here the weights are read once per four tokens, which costs less than a tile that is mostly empty. */
const FEW = 8;

interface Choice {
  readonly shader: Shader;
  /** Of y per item. */
  readonly rows: number;
  readonly tokens: number;
}

export const matmulWgsl: WgslKernel<'matmul'> = ({ dims, capabilities, has, weight, aligned, ranges }) => {
  const { T, C, R } = dims as { T: number; C: number; R: number };
  const type = weight('w');
  const integers = capabilities.integers && type.integers !== undefined;
  const vectors = !integers && C % 4 === 0 && aligned('x');
  const tokens = ranges(T, ['x', 'y']).flatMap((x) => (integers ? roundedParts(x, C, capabilities) : [x]));
  return tokens.flatMap((x): Dispatch[] => {
    const products = ranges(R, ['w']).map((w): Dispatch => {
      const { shader, rows, tokens } = choose(type, x.count, integers, has('bias'), vectors, capabilities);
      return {
        shader,
        rows: { x, w, y: x },
        fields: { T: x.count, R: w.count, stride: R, first: w.first, row_bytes: rowBytes(type.dtype, C) },
        items: Math.ceil(w.count / rows) * Math.ceil(x.count / tokens),
      };
    });
    return integers ? [roundRows(x, C, type.dtype.blockSize, capabilities), ...products] : products;
  });
};

function choose(
  type: StoredType,
  T: number,
  integers: boolean,
  bias: boolean,
  vectors: boolean,
  capabilities: Capabilities,
): Choice {
  const tile = T > FEW ? chooseTile(type, T, integers, capabilities) : undefined;
  if (tile) return { shader: manyTokens(tile, bias), rows: TILE_ROWS, tokens: tile.tokens };
  const team = teamOf(64, capabilities);
  const rows = team.lanes > 1 ? 4 : 1;
  const tokens = T > 2 ? 4 : T;
  return { shader: fewTokens({ type, team, rows, tokens, integers }, bias, vectors), rows, tokens };
}

/** Fields: T and R as bound, `stride` and `first` of y's rows, `row_bytes` of w. */
const manyTokens = ({ name, tokens, inputs, body, ...parts }: TileChoice, bias: boolean): Shader => ({
  name: `matmul ${name}${bias ? ' bias' : ''}`,
  parts: () => ({
    ...parts,
    inputs: bias ? [...inputs, 'bias'] : inputs,
    fields: ['T', 'C', 'R', 'stride', 'first', 'row_bytes'],
    body: body(places(tokens, bias)),
  }),
});

const places = (tokens: number, bias: boolean): TilePlaces => ({
  begin: `
  let tiles = (p.R + ${TILE_ROWS - 1}u) / ${TILE_ROWS}u;
  let t = item / tiles * ${tokens}u;
  let r = item % tiles * ${TILE_ROWS}u;
  let rows = p.R;
`,
  xRow: (token) => `min(t + ${token}, p.T - 1u)`,
  wRow: (row) => `p.w_base + ${row} * p.row_bytes`,
  store: (token, row, value) => `  if (t + ${token} < p.T && r + ${row} < p.R) {
    let place = p.first + r + ${row};
    put_y((t + ${token}) * p.stride + place, ${value}${bias ? ' + get_bias(place)' : ''});
  }`,
});
