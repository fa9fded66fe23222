// F32 → Q4_K (layout.ts), the arithmetic of reference.ts on four sub-blocks at a time.
import { fitAffine8x32 } from '../search/affine.wasm';
import { squaresOf4 } from '../squares.wasm';
import { CODES, codeSubBlock, loadForSearch, loadWeighted, storeFits, storeWeightedFits } from './sub-blocks.wasm';

const SQUARES = memory.data(16, 16);
const MAX_CODE = memory.data<i32>([15, 15, 15, 15], 16);

/** 256 floats each at `src` → `blocks` blocks of 144 bytes at `dst`. */
export function encodeQ4_K(src: usize, dst: usize, blocks: usize): void {
  for (let block: usize = 0; block < blocks; block++) {
    loadForSearch(src);
    fitAffine8x32(-1, 0.1, 20, 15);
    storeFits(dst);
    storeCodes(src, dst);
    src += 1024;
    dst += 144;
  }
}

/** The same under the importance of the columns, 256 floats per block. */
export function encodeQ4_KWeighted(src: usize, dst: usize, blocks: usize, importance: usize): void {
  for (let block: usize = 0; block < blocks; block++) {
    if (block % 4 == 0) squaresOf4(src, blocks - block, SQUARES);
    loadWeighted(src, importance, load<f32>(SQUARES + 4 * (block % 4)));
    fitAffine8x32(-0.9, 0.05, 36, 15);
    storeWeightedFits(dst, 255);
    storeCodes(src, dst);
    src += 1024;
    dst += 144;
    importance += 1024;
  }
}

@inline
function storeCodes(src: usize, dst: usize): void {
  for (let j: usize = 0; j < 8; j++) codeSubBlock(src + 128 * j, dst, j, v128.load(MAX_CODE));
  packCodes(dst);
}

/** Two sub-blocks share 32 bytes, the even one in the low nibbles. */
@inline
function packCodes(dst: usize): void {
  for (let pair: usize = 0; pair < 4; pair++) {
    const codes = CODES + 64 * pair;
    const out = dst + 32 * pair;
    v128.store(out, v128.or(v128.load(codes), i16x8.shl(v128.load(codes, 32), 4)), 16);
    v128.store(out, v128.or(v128.load(codes, 16), i16x8.shl(v128.load(codes, 48), 4)), 32);
  }
}
