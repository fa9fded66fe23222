// Which tile a device can multiply many tokens with, if any.
import type { Capabilities } from '../../webgpu/capabilities.ts';
import type { StoredType } from '../../webgpu/stored-type.ts';
import type { Team } from '../../webgpu/team.ts';
import { floatTileBody, floatTileBytes, floatTileDeclarations } from './many-tokens.wgsl.ts';
import { integerTileBody, integerTileBytes, integerTileDeclarations } from './many-tokens-integers.wgsl.ts';
import { type TilePlaces, tileTeam } from './tile.ts';

/** A tile's shader but for where its rows and tokens are. */
export interface TileChoice {
  readonly name: string;
  readonly team: Team;
  readonly tokens: number;
  readonly inputs: readonly string[];
  readonly scratch?: 'vec4<u32>';
  readonly table?: Uint32Array;
  readonly declarations: string;
  readonly body: (places: TilePlaces) => string;
}

/** The tile for `T` tokens, or undefined when the device has no workgroups for one. */
export function chooseTile(
  type: StoredType,
  T: number,
  integers: boolean,
  capabilities: Capabilities,
): TileChoice | undefined {
  const { teams, halfTiles, workgroupBytes, maxInvocations } = capabilities;
  const half = halfTiles && type.dtype.blockSize > 1; // BF16 and F32 may not fit an f16
  const fits = (tokens: number) =>
    (integers ? integerTileBytes(tokens) : floatTileBytes(tokens, half)) <= workgroupBytes &&
    tileTeam(tokens).lanes <= maxInvocations;
  if (!teams || !fits(32)) return undefined;
  const tokens = T > 32 && fits(64) ? 64 : 32;
  const team = tileTeam(tokens);
  const name = `${type.dtype.name} tile ${tokens}`;
  if (integers) {
    const tile = { type, tokens };
    return {
      name: `${name} integers`,
      team,
      tokens,
      inputs: ['w'],
      scratch: 'vec4<u32>',
      declarations: integerTileDeclarations(tile),
      body: (places) => integerTileBody(tile, places),
    };
  }
  const tile = { type, tokens, half };
  return {
    name: half ? `${name} f16` : name,
    team,
    tokens,
    inputs: ['x', 'w'],
    table: type.table,
    declarations: floatTileDeclarations(tile),
    body: (places) => floatTileBody(tile, places),
  };
}
