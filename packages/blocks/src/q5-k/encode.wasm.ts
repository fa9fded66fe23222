// F32 → Q5_K (layout.ts), the arithmetic of reference.ts on four sub-blocks at a time.
import { CODES, codeSubBlock, loadForSearch, loadWeighted, storeFits, storeWeightedFits } from '../q4-k/sub-blocks.wasm';
import { fitAffine8x32 } from '../search/affine.wasm';
import { squaresOf4 } from '../squares.wasm';

const SQUARES = memory.data(16, 16);
const MAX_CODE = memory.data<i32>([31, 31, 31, 31], 16);

/** 256 floats each at `src` → `blocks` blocks of 176 bytes at `dst`. */
export function encodeQ5_K(src: usize, dst: usize, blocks: usize): void {
  for (let block: usize = 0; block < blocks; block++) {
    loadForSearch(src);
    fitAffine8x32(-0.5, 0.1, 15, 31);
    storeFits(dst);
    storeCodes(src, dst);
    src += 1024;
    dst += 176;
  }
}

/** The same under the importance of the columns, 256 floats per block. */
export function encodeQ5_KWeighted(src: usize, dst: usize, blocks: usize, importance: usize): void {
  for (let block: usize = 0; block < blocks; block++) {
    if (block % 4 == 0) squaresOf4(src, blocks - block, SQUARES);
    loadWeighted(src, importance, load<f32>(SQUARES + 4 * (block % 4)));
    fitAffine8x32(-0.9, 0.05, 36, 31);
    storeWeightedFits(dst, 63);
    storeCodes(src, dst);
    src += 1024;
    dst += 176;
    importance += 1024;
  }
}

@inline
function storeCodes(src: usize, dst: usize): void {
  for (let j: usize = 0; j < 8; j++) codeSubBlock(src + 128 * j, dst, j, v128.load(MAX_CODE));
  packCodes(dst, 0);
  packCodes(dst, 16);
}

/** Weights `half…half + 15` of every sub-block: fifth bits side by side in one byte, lower four as in Q4_K. */
@inline
function packCodes(dst: usize, half: usize): void {
  const nibble = i8x16.splat(15);
  let fifth = i64x2.splat(0);
  for (let pair = 0; pair < 4; pair++) {
    const codes = CODES + 64 * <usize>pair + half;
    const even = v128.load(codes);
    const odd = v128.load(codes, 32);
    v128.store(dst + 32 * <usize>pair + half, v128.or(v128.and(even, nibble), i8x16.shl(odd, 4)), 48);
    fifth = v128.or(fifth, i8x16.shl(i8x16.shr_u(even, 4), 2 * pair));
    fifth = v128.or(fifth, i8x16.shl(i8x16.shr_u(odd, 4), 2 * pair + 1));
  }
  v128.store(dst + half, fifth, 16);
}
