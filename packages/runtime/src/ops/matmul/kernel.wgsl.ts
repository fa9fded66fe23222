// Which matmul kernel for how many tokens, and how it is cut where weights or tokens lie in several buffers.
import { rowBytes } from '@quern/blocks';
import type { Capabilities } from '../../webgpu/capabilities.ts';
import type { Dispatch, Shader, WgslKernel } from '../../webgpu/kernel.ts';
import type { StoredType } from '../../webgpu/stored-type.ts';
import { teamOf } from '../../webgpu/team.ts';
import { fewTokens } from './few-tokens.wgsl.ts';
import { manyTokens, TILE_ROWS, tileBytes, tileLanes } from './many-tokens.wgsl.ts';

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
  const vectors = C % 4 === 0 && aligned('x');
  return ranges(T, ['x', 'y']).flatMap((x) =>
    ranges(R, ['w']).map((w): Dispatch => {
      const { shader, rows, tokens } = choose(type, x.count, has('bias'), vectors, capabilities);
      return {
        shader,
        rows: { x, w, y: x },
        fields: { T: x.count, R: w.count, stride: R, first: w.first, row_bytes: rowBytes(type.dtype, C) },
        items: Math.ceil(w.count / rows) * Math.ceil(x.count / tokens),
      };
    }),
  );
};

function choose(type: StoredType, T: number, bias: boolean, vectors: boolean, capabilities: Capabilities): Choice {
  const half = capabilities.halfTiles && type.dtype.blockSize > 1; // BF16 and F32 may not fit an f16
  const fits = (tokens: number) =>
    tileBytes(tokens, half) <= capabilities.workgroupBytes && tileLanes(tokens) <= capabilities.maxInvocations;
  if (capabilities.teams && T > FEW && fits(32)) {
    const tokens = T > 32 && fits(64) ? 64 : 32;
    return { shader: manyTokens({ type, tokens, half }, bias), rows: TILE_ROWS, tokens };
  }
  const team = teamOf(64, capabilities);
  const rows = team.lanes > 1 ? 4 : 1;
  const tokens = T > 2 ? 4 : T;
  return { shader: fewTokens({ type, team, rows, tokens }, bias, vectors), rows, tokens };
}
