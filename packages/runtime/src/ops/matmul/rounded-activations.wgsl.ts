// Activations in 8 bits (packages/blocks/src/activations): a first dispatch leaves them in scratch memory, where the products
// with stored integers find them. 32 neighbours are a record of three vectors of words:
//   codes 0 … 15 | codes 16 … 31 | step (F32), sum of the first 16 codes, sum of the others, unused
// A row of x is C / 32 records.
import { type ActivationBlock, roundingWgsl } from '@quern/blocks';
import type { Capabilities } from '../../webgpu/capabilities.ts';
import type { Dispatch, Rows, Shader } from '../../webgpu/kernel.ts';
import { inParts } from '../../webgpu/rows.ts';
import { reductions, single, teamOf } from '../../webgpu/team.ts';

const RECORD_BYTES = 48;

/** Bytes of scratch memory for so many rows of `cols` numbers. */
export const roundedBytes = (rows: number, cols: number): number => (rows * cols * RECORD_BYTES) / 32;

/** `rows` of x in parts whose records fit half a binding: what else a kernel keeps in scratch memory has room beside them. */
export const roundedParts = (rows: Rows, cols: number, { maxBindingBytes }: Capabilities): readonly Rows[] =>
  inParts(rows, Math.max(1, Math.floor(maxBindingBytes / 2 / roundedBytes(1, cols))));

/** The dispatch that rounds rows of x [.., cols] to meet weights in blocks of `blockSize`. */
export function roundRows(x: Rows, cols: number, blockSize: number, capabilities: Capabilities): Dispatch {
  return {
    shader: rounding(blockSize as ActivationBlock, capabilities),
    rows: { x },
    items: (x.count * cols) / blockSize,
    scratchBytes: roundedBytes(x.count, cols),
    prepares: `${blockSize}`,
  };
}

/** An item is a block. */
function rounding(blockSize: ActivationBlock, capabilities: Capabilities): Shader {
  const team = blockSize === 256 ? teamOf(64, capabilities) : single;
  const words = blockSize / 4;
  return {
    name: `rounded activations ${blockSize} ${team.lanes}`,
    parts: () => ({
      inputs: ['x'],
      fields: [],
      team,
      scratch: 'u32',
      scratchOnly: true,
      declarations: `${roundingWgsl(blockSize)}${reductions(team, ['team_max_bits'])}
var<${team.memory}> sums: array<i32, ${words}>;
`,
      body: `
  let first = item * ${blockSize}u;
  var largest = 0u;
  for (var k = lane; k < ${words}u; k += LANES) {
    let bits = bitcast<vec4<u32>>(get_x4(first + 4u * k)) & vec4<u32>(0x7fffffffu);
    largest = max(largest, max(max(bits.x, bits.y), max(bits.z, bits.w)));
  }
  let fit = rounding_of(team_max_bits(largest, lane));
  let record = item * ${(blockSize / 32) * 12}u;
  for (var k = lane; k < ${words}u; k += LANES) {
    var codes = vec4<i32>();
    if (fit.x != 0.0) { codes = vec4<i32>(round(get_x4(first + 4u * k) * fit.x)); }
    scratch[record + k / 8u * 12u + k % 8u] = pack4xI8(codes);
    sums[k] = codes.x + codes.y + codes.z + codes.w;
  }
  ${team.barrier}
  for (var k = lane; k < ${words / 4}u; k += LANES) {
    let sum = sums[4u * k] + sums[4u * k + 1u] + sums[4u * k + 2u] + sums[4u * k + 3u];
    scratch[record + k / 2u * 12u + 9u + k % 2u] = bitcast<u32>(sum);
    if (k % 2u == 0u) { scratch[record + k / 2u * 12u + 8u] = bitcast<u32>(fit.y); }
  }`,
    }),
  };
}

/** What a product of one row and one token adds for 32 neighbours. */
export const integerProductWgsl = `
fn dot16(a: vec4<u32>, b: vec4<u32>) -> i32 {
  return dot4I8Packed(a.x, b.x) + dot4I8Packed(a.y, b.y) + dot4I8Packed(a.z, b.z) + dot4I8Packed(a.w, b.w);
}
// \`rest\` is the third vector of a record, \`dots\` the products of the codes of each half.
fn weigh(scales: vec2<i32>, shifts: vec2<i32>, least: i32, units: vec2<f32>, dots: vec2<i32>, rest: vec4<u32>) -> f32 {
  let sums = bitcast<vec2<i32>>(rest.yz);
  let above = scales * dots - shifts * sums;
  let below = least * (sums.x + sums.y);
  return bitcast<f32>(rest.x) * (units.x * f32(above.x + above.y) - units.y * f32(below));
}
`;
