// Four tokens against a panel in plain SIMD, which multiplies no bytes: codes less their middle, times the scale of their sub-block,
// become words of 16 bits, and i32x4.dot_i16x8_s multiplies eight pairs at a time.
import { LOW_BYTE } from '@quern/blocks/src/activations/constants.wasm';
import { WORD, scalesOf, unitsOf } from '@quern/blocks/src/activations/panel.wasm';
import { stepsOf } from '@quern/blocks/src/activations/row.wasm';
import { addBlock, addBlockWithMin } from '@quern/blocks/src/activations/rows8.wasm';
import { hasMins, middleOf, subBlockOf } from './integer-types.wasm';
import { belowOf, placesOf } from './tile-results.wasm';

export const WORD_TILE: usize = 4;

/** A block: pairs of codes, in the order of the activations' (row.wasm.ts); then units and minima as they are. */
@inline
export function wordBlockBytes(blockSize: usize): usize {
  return 16 * blockSize + scalesOf(0, blockSize) - unitsOf(0, blockSize);
}

/** A block of a panel → one of words. */
export function widen(block: usize, type: u32, blockSize: usize, to: usize): void {
  const middle = i16x8.splat(<i16>middleOf(type)), units = unitsOf(block, blockSize);
  if (blockSize == 32) to = widenCodes(block, units, middle, false, middle, middle, to);
  else {
    let scales = scalesOf(block, 256);
    for (let codes = block, next = codes; codes < units; codes = next) {
      next += subBlockOf(type) * 8;
      to = widenCodes(codes, next, middle, true, twice(v128.load(scales)), twice(v128.load(scales, 16)), to);
      scales += WORD;
    }
  }
  for (let at = units; at < scalesOf(block, blockSize); at += 16) {
    v128.store(to, v128.load(at));
    to += 16;
  }
}

/** Four numbers of 32 bits → each twice in 16. */
@inline
function twice(numbers: v128): v128 {
  return v128.shuffle<u16>(numbers, numbers, 0, 0, 2, 2, 4, 4, 6, 6);
}

/** (Codes − middle) · scale, up to `end`; returns what lies behind them. */
@inline
function widenCodes(codes: usize, end: usize, middle: v128, scaled: bool, scale0: v128, scale1: v128, to: usize): usize {
  const lowByte = v128.load(LOW_BYTE);
  for (; codes < end; codes += WORD) {
    const quad0 = v128.load(codes), quad1 = v128.load(codes, 16);
    const even0 = i16x8.sub(v128.and(quad0, lowByte), middle), odd0 = i16x8.sub(i16x8.shr_u(quad0, 8), middle);
    const even1 = i16x8.sub(v128.and(quad1, lowByte), middle), odd1 = i16x8.sub(i16x8.shr_u(quad1, 8), middle);
    v128.store(to, scaled ? i16x8.mul(even0, scale0) : even0);
    v128.store(to, scaled ? i16x8.mul(even1, scale1) : even1, 16);
    v128.store(to, scaled ? i16x8.mul(odd0, scale0) : odd0, 32);
    v128.store(to, scaled ? i16x8.mul(odd1, scale1) : odd1, 48);
    to += 2 * WORD;
  }
  return to;
}

@inline
function madd(sum: v128, x: v128, codes: v128): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(x, codes));
}

/**
 * 4 tokens × 8 rows, `count` columns from `k` on. Eight sums, two vectors of the panel and one of activations fit 16 registers; at the
 * end of a block they go through scratch at `sums`, since whatever else lives across the loop costs registers.
 */
export function tileOfWords(args: usize, list: usize, k: usize, count: usize, panel: usize, sums: usize, yOffset: usize): void {
  const blockSize: usize = load<u32>(args, 16), rest = wordBlockBytes(blockSize) - 16 * blockSize;
  let x0 = <usize>load<u32>(list) + 2 * k, x1 = <usize>load<u32>(list, 8) + 2 * k;
  let x2 = <usize>load<u32>(list, 16) + 2 * k, x3 = <usize>load<u32>(list, 24) + 2 * k;
  if (!k) for (let token = list; token < list + 8 * WORD_TILE; token += 8) clear(<usize>load<u32>(token, 4) + yOffset);
  for (const end = k + count; k < end; k += blockSize) {
    let s00 = i32x4.splat(0), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
    for (const last = panel + 16 * blockSize; panel < last; panel += 64) {
      let p0 = v128.load(panel), p1 = v128.load(panel, 16), v = v128.load32_splat(x0);
      s00 = madd(s00, v, p0); s01 = madd(s01, v, p1);
      v = v128.load32_splat(x1);
      s10 = madd(s10, v, p0); s11 = madd(s11, v, p1);
      v = v128.load32_splat(x2);
      s20 = madd(s20, v, p0); s21 = madd(s21, v, p1);
      v = v128.load32_splat(x3);
      s30 = madd(s30, v, p0); s31 = madd(s31, v, p1);
      p0 = v128.load(panel, 32); p1 = v128.load(panel, 48); v = v128.load32_splat(x0, 4);
      s00 = madd(s00, v, p0); s01 = madd(s01, v, p1);
      v = v128.load32_splat(x1, 4);
      s10 = madd(s10, v, p0); s11 = madd(s11, v, p1);
      v = v128.load32_splat(x2, 4);
      s20 = madd(s20, v, p0); s21 = madd(s21, v, p1);
      v = v128.load32_splat(x3, 4);
      s30 = madd(s30, v, p0); s31 = madd(s31, v, p1);
      x0 += 8; x1 += 8; x2 += 8; x3 += 8;
    }
    v128.store(sums, s00); v128.store(sums, s01, 16); v128.store(sums, s10, 32); v128.store(sums, s11, 48);
    v128.store(sums, s20, 64); v128.store(sums, s21, 80); v128.store(sums, s30, 96); v128.store(sums, s31, 112);
    const cols: usize = load<u32>(args, 8), type = load<u32>(args, 12), mins = hasMins(type);
    const step = stepsOf(0, cols) + (4 * k) / blockSize, places = placesOf(type, cols, blockSize, k);
    addToken(list, step, places, type, mins, blockSize, panel, sums, yOffset);
    addToken(list + 8, step, places, type, mins, blockSize, panel, sums + WORD, yOffset);
    addToken(list + 16, step, places, type, mins, blockSize, panel, sums + 2 * WORD, yOffset);
    addToken(list + 24, step, places, type, mins, blockSize, panel, sums + 3 * WORD, yOffset);
    panel += rest;
  }
}

/** Adds a block's value for one token to y. */
@inline
function addToken(
  token: usize,
  step: usize,
  places: usize,
  type: u32,
  mins: bool,
  blockSize: usize,
  units: usize,
  sums: usize,
  yOffset: usize,
): void {
  const row = <usize>load<u32>(token), y = <usize>load<u32>(token, 4) + yOffset, factor = v128.load32_splat(row + step);
  const d0 = v128.load(units), d1 = v128.load(units, 16), sum0 = v128.load(sums), sum1 = v128.load(sums, 16);
  if (!mins) {
    v128.store(y, addBlock(v128.load(y), factor, d0, sum0));
    v128.store(y, addBlock(v128.load(y, 16), factor, d1, sum1), 16);
    return;
  }
  const place = row + places, minima = units + 2 * WORD;
  const below0 = belowOf(minima, type, blockSize, place), below1 = belowOf(minima + 16, type, blockSize, place);
  v128.store(y, addBlockWithMin(v128.load(y), factor, d0, sum0, v128.load(units, 32), below0));
  v128.store(y, addBlockWithMin(v128.load(y, 16), factor, d1, sum1, v128.load(units, 48), below1), 16);
}

@inline
function clear(y: usize): void {
  v128.store(y, f32x4.splat(0));
  v128.store(y, f32x4.splat(0), 16);
}
