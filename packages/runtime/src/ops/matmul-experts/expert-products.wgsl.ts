// The shaders that multiply. Fields: C and R, `slots_per_row` of x, `first` and `count` of the bound rows of w, all experts'
// rows counted on, `row_bytes` of w, and where grouped slots are in scratch memory.
import { each } from '../../webgpu/each.ts';
import type { Shader } from '../../webgpu/kernel.ts';
import { type DotProducts, dotProductFunctions, dotProducts, nameOf } from '../matmul/dot-products.wgsl.ts';
import { TILE_ROWS, type TilePlaces } from '../matmul/tile.ts';
import type { TileChoice } from '../matmul/tile-choice.wgsl.ts';

const fields = ['C', 'R', 'slots_per_row', 'first', 'count', 'row_bytes'];
const groupedFields = [...fields, 'list_at', 'tiles_at'];

/** An item is a block of rows for one slot, or for a tile of grouped slots. */
export const fewSlots = (shape: DotProducts, grouped: boolean, vectors: boolean): Shader => {
  const { type, team, rows, tokens, integers } = shape;
  return {
    name: `matmulExperts ${nameOf(shape)}${grouped ? ' grouped' : ''}${vectors ? ' vectors' : ''}`,
    parts: () => ({
      inputs: integers ? ['w', 'ids'] : ['x', 'w', 'ids'],
      vectors: vectors ? ['x'] : [],
      fields: grouped ? groupedFields : fields,
      ...((grouped || integers) && { scratch: 'vec4<u32>' }),
      table: integers ? undefined : type.table,
      team,
      declarations: dotProductFunctions(shape) + (grouped && team.lanes > 1 ? sharedTile : ''),
      body: `
  let blocks = (p.R + ${rows - 1}u) / ${rows}u;
  let r = item % blocks * ${rows}u;
${grouped ? `${team.lanes > 1 ? loadSharedTile : loadTile}` : '  let tile = vec4<u32>(get_ids(item / blocks), 0u, 1u, 0u);'}
  let row = tile.x * p.R + r - p.first; // below 0, it wraps to more than any count
${each(
  tokens,
  (i) => `  let slot_${i} = ${grouped ? `scratch[p.list_at + tile.y + min(${i}u, tile.z - 1u)].x` : 'item / blocks'};
  let x_${i} = slot_${i} / p.slots_per_row;`,
)}
${each(rows, (i) => `  let row_${i} = p.w_base + min(row + ${i}u, p.count - 1u) * p.row_bytes;`)}
${dotProducts(shape)}
  if (lane > 0u) { return; }
${each(tokens, (i) =>
  each(
    rows,
    (j) =>
      `  if (${i}u < tile.z && r + ${j}u < p.R && row + ${j}u < p.count) { put_y(slot_${i} * p.R + r + ${j}u, sum_${i}_${j}); }`,
  ),
)}`,
    }),
  };
};

/** An item is a tile of rows for a tile of grouped slots. */
export const manySlots = ({ name, team, tokens, inputs, table, declarations, body }: TileChoice): Shader => ({
  name: `matmulExperts ${name}`,
  parts: () => ({
    inputs,
    fields: groupedFields,
    scratch: 'vec4<u32>',
    table,
    team,
    declarations: `${declarations}${sharedTile}
var<workgroup> slots: array<u32, ${tokens}>;
`,
    body: body(places(tokens)),
  }),
});

const places = (tokens: number): TilePlaces => ({
  begin: `
  let blocks = (p.R + ${TILE_ROWS - 1}u) / ${TILE_ROWS}u;
  let r = item % blocks * ${TILE_ROWS}u;
  let rows = p.R;
${loadSharedTile}
  let row = tile.x * p.R - p.first; // below 0, it wraps to more than any count
  if (lane < ${tokens}u) { slots[lane] = scratch[p.list_at + tile.y + min(lane, tile.z - 1u)].x; }
  workgroupBarrier();
`,
  xRow: (token) => `(slots[${token}] / p.slots_per_row)`,
  wRow: (of) => `p.w_base + min(row + ${of}, p.count - 1u) * p.row_bytes`,
  store: (token, of, value) => `  if (${token} < tile.z && r + ${of} < p.R && row + r + ${of} < p.count) {
    put_y(slots[${token}] * p.R + r + ${of}, ${value});
  }`,
});

const tileOfItem = 'scratch[p.tiles_at + item / blocks]';

const loadTile = `  let tile = ${tileOfItem};
  if (tile.z == 0u) { return; }`;

const sharedTile = `
var<workgroup> shared_tile: vec4<u32>;
`;

/** Where the team has barriers, all its lanes must be seen to leave together. */
const loadSharedTile = `  if (lane == 0u) { shared_tile = ${tileOfItem}; }
  let tile = workgroupUniformLoad(&shared_tile);
  if (tile.z == 0u) { return; }`;
