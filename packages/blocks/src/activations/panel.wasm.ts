// A panel: blocks of eight rows as the kernels of several tokens want them, taken out of their bits once for all tokens. `unpack<Type>`
// of a type's room writes a block of it:
//
//   codes     a byte each, unsigned: words of four neighbours of every row [word][row]. They are larger than meant by what
//             `middleOf` says of the type
//   units     d, then dmin [row] F32
//   minima    pairs of 16 bits that meet the sums of two neighbouring sub-blocks [pair][row]; blocks of 32 weights have none, as
//             theirs are 1
//   scales    of each sub-block [row] i32; blocks of 32 weights have none
import { NIBBLES } from './constants.wasm';
import { loadHalves } from './rows8.wasm';

/** Bytes from word to word. */
export const WORD: usize = 32;

@inline
export function unitsOf(block: usize, blockSize: usize): usize {
  return block + 8 * blockSize;
}

@inline
export function minimaOf(block: usize, blockSize: usize): usize {
  return unitsOf(block, blockSize) + 2 * WORD;
}

@inline
export function scalesOf(block: usize, blockSize: usize): usize {
  return minimaOf(block, blockSize) + (blockSize == 256 ? 8 * WORD : 0);
}

@inline
export function panelBlockBytes(blockSize: usize): usize {
  return scalesOf(0, blockSize) + (blockSize == 256 ? 16 * WORD : 0);
}

/** d of eight rows, F16 at `halves`. */
@inline
export function storeUnits(block: usize, blockSize: usize, halves: usize): void {
  loadHalves(halves, unitsOf(block, blockSize));
}

/** `count` bytes of eight rows each, which meet sums of activations → the minima of a block of 256. */
@inline
export function storeMinima(bytes: usize, count: usize, block: usize): void {
  let to = minimaOf(block, 256);
  for (const end = bytes + 8 * count; bytes < end; bytes += 16) {
    const even = v128.load8x8_u(bytes), odd = v128.load8x8_u(bytes, 8);
    v128.store(to, v128.shuffle<u16>(even, odd, 0, 8, 1, 9, 2, 10, 3, 11));
    v128.store(to, v128.shuffle<u16>(even, odd, 4, 12, 5, 13, 6, 14, 7, 15), 16);
    to += WORD;
  }
}

/** `count` bytes of eight rows each → the scales of a block of 256. */
@inline
export function storeScales(bytes: usize, count: usize, signed: bool, block: usize): void {
  let to = scalesOf(block, 256);
  for (const end = bytes + 8 * count; bytes < end; bytes += 8) {
    storeScale(to, signed ? v128.load8x8_s(bytes) : v128.load8x8_u(bytes));
    to += WORD;
  }
}

/** One scale of eight rows, 16 bits each. */
@inline
export function storeScale(to: usize, scales: v128): void {
  v128.store(to, i32x4.extend_low_i16x8_s(scales));
  v128.store(to, i32x4.extend_high_i16x8_s(scales), 16);
}

/** Words of nibbles, `quads` of them 32 bytes apart: the low ones, then the high ones. */
@inline
export function unpackNibbles(qs: usize, quads: usize, to: usize): void {
  const nibbles = v128.load(NIBBLES);
  for (const end = qs + 32 * quads; qs < end; qs += 32) {
    const packed0 = v128.load(qs), packed1 = v128.load(qs, 16);
    v128.store(to, v128.and(packed0, nibbles));
    v128.store(to, v128.and(packed1, nibbles), 16);
    v128.store(to + WORD * quads, v128.and(i16x8.shr_u(packed0, 4), nibbles));
    v128.store(to + WORD * quads, v128.and(i16x8.shr_u(packed1, 4), nibbles), 16);
    to += WORD;
  }
}
