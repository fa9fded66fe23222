// Two tokens against a panel in relaxed SIMD: one instruction multiplies sixteen codes with activations, a byte each, and adds the
// products to the sums. What codes are larger by than meant is taken away before: sums begin at −middle · Σ x.
import { WORD, panelBlockBytes, scalesOf, unitsOf } from '@quern/blocks/src/activations/panel.wasm';
import { stepsOf, unsignedOperand } from '@quern/blocks/src/activations/row.wasm';
import { addBlock, addBlockWithMin } from '@quern/blocks/src/activations/rows8.wasm';
import { hasMins, hasSevenBits, middleOf, subBlockOf } from './integer-types.wasm';
import { belowOf, placesOf } from './tile-results.wasm';

export const BYTE_TILE: usize = 2;
const ALL_ONES = memory.data<u8>([255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255], 16);
const LARGEST = memory.data<i8>([127, 127, 127, 127, -127, -127, -127, -127, 127, 127, -127, -127, -127, 127, 127, 127], 16);
const PRODUCTS = memory.data<i32>([129540, -129540, 0, 64770], 16);

/** Codes above 127 are left to the engine by relaxed SIMD: whether this one takes them as unsigned, and sums exactly. */
@inline
export function takesBytes(type: u32): bool {
  if (!ASC_FEATURE_RELAXED_SIMD) return false;
  if (hasSevenBits(type)) return true;
  return i32x4.all_true(i32x4.eq(dot(i32x4.splat(0), v128.load(LARGEST), v128.load(ALL_ONES)), v128.load(PRODUCTS)));
}

@inline
function dot(sum: v128, x: v128, codes: v128): v128 {
  return i32x4.relaxed_dot_i8x16_i7x16_add_s(x, codes, sum);
}

@inline
function addScaled(total: v128, sum: v128, scale: v128): v128 {
  return i32x4.add(total, i32x4.mul(sum, scale));
}

/**
 * 2 tokens × 8 rows, `count` columns from `k` on: sums of sub-blocks, of blocks and results stay in registers. The loop over codes is
 * unrolled once: with more, V8 runs out of registers.
 */
export function tileOfBytes(args: usize, list: usize, k: usize, count: usize, panel: usize, yOffset: usize): void {
  const cols: usize = load<u32>(args, 8), type = load<u32>(args, 12), blockSize: usize = load<u32>(args, 16);
  const sub = subBlockOf(type), middle = middleOf(type), less = i32x4.splat(-middle & 0xffff);
  const row0 = <usize>load<u32>(list), row1 = <usize>load<u32>(list, 8), none = i32x4.splat(0);
  const y0 = <usize>load<u32>(list, 4) + yOffset, y1 = <usize>load<u32>(list, 12) + yOffset;
  let x0 = row0 + unsignedOperand(0, cols, blockSize) + k, x1 = x0 + (row1 - row0);
  let place = placesOf(type, cols, blockSize, k), step = stepsOf(0, cols) + (4 * k) / blockSize;
  let y00 = none, y01 = none, y10 = none, y11 = none;
  if (k) {
    y00 = v128.load(y0); y01 = v128.load(y0, 16);
    y10 = v128.load(y1); y11 = v128.load(y1, 16);
  }
  for (const last = panel + panelBlockBytes(blockSize) * (count / blockSize); panel < last; ) {
    const units = unitsOf(panel, blockSize), sums = place;
    let scales = scalesOf(panel, blockSize), b00 = none, b01 = none, b10 = none, b11 = none;
    for (let codes = panel; codes < units; ) {
      let s00 = none, s10 = none;
      if (middle) {
        s00 = i32x4.dot_i16x8_s(v128.load16_splat(row0 + place), less);
        s10 = i32x4.dot_i16x8_s(v128.load16_splat(row1 + place), less);
      }
      let s01 = s00, s11 = s10;
      for (const end = codes + 8 * sub; codes < end; codes += 2 * WORD) {
        let p0 = v128.load(codes), p1 = v128.load(codes, 16), v = v128.load32_splat(x0);
        s00 = dot(s00, v, p0); s01 = dot(s01, v, p1);
        v = v128.load32_splat(x1);
        s10 = dot(s10, v, p0); s11 = dot(s11, v, p1);
        p0 = v128.load(codes, 32); p1 = v128.load(codes, 48); v = v128.load32_splat(x0, 4);
        s00 = dot(s00, v, p0); s01 = dot(s01, v, p1);
        v = v128.load32_splat(x1, 4);
        s10 = dot(s10, v, p0); s11 = dot(s11, v, p1);
        x0 += 8; x1 += 8;
      }
      if (blockSize == 256) {
        const scale0 = v128.load(scales), scale1 = v128.load(scales, 16);
        b00 = addScaled(b00, s00, scale0); b01 = addScaled(b01, s01, scale1);
        b10 = addScaled(b10, s10, scale0); b11 = addScaled(b11, s11, scale1);
        scales += WORD;
      } else {
        b00 = s00; b01 = s01; b10 = s10; b11 = s11;
      }
      place += 2;
    }
    const step0 = v128.load32_splat(row0 + step), step1 = v128.load32_splat(row1 + step);
    const d0 = v128.load(units), d1 = v128.load(units, 16);
    if (hasMins(type)) {
      const minima = units + 2 * WORD, dmin0 = v128.load(units, 32), dmin1 = v128.load(units, 48);
      y00 = addBlockWithMin(y00, step0, d0, b00, dmin0, belowOf(minima, type, blockSize, row0 + sums));
      y01 = addBlockWithMin(y01, step0, d1, b01, dmin1, belowOf(minima + 16, type, blockSize, row0 + sums));
      y10 = addBlockWithMin(y10, step1, d0, b10, dmin0, belowOf(minima, type, blockSize, row1 + sums));
      y11 = addBlockWithMin(y11, step1, d1, b11, dmin1, belowOf(minima + 16, type, blockSize, row1 + sums));
    } else {
      y00 = addBlock(y00, step0, d0, b00); y01 = addBlock(y01, step0, d1, b01);
      y10 = addBlock(y10, step1, d0, b10); y11 = addBlock(y11, step1, d1, b11);
    }
    step += 4;
    panel += panelBlockBytes(blockSize);
  }
  v128.store(y0, y00); v128.store(y0, y01, 16);
  v128.store(y1, y10); v128.store(y1, y11, 16);
}
