// F32 → IQ4_NL (layout.ts), the arithmetic of reference.ts on four blocks at a time.
import { resultToF16 } from '../half.wasm';
import { weighErrors } from '../search/error-weights.wasm';
import { transpose4 } from '../transpose.wasm';
import { fitLevels4, LEVELS_WEIGHTS, LEVELS_X, weighBySquares } from './levels.wasm';
import { storeLevels } from './nearest-level.wasm';

const SCALES = memory.data(16, 16);

/** 32 floats each at `src` → `blocks` blocks of 18 bytes at `dst`. */
export function encodeIQ4_NL(src: usize, dst: usize, blocks: usize): void {
  while (blocks > 0) {
    const lanes: usize = blocks < 4 ? 1 : 4;
    transpose4(src, lanes == 4 ? 128 : 0, 32, LEVELS_X);
    weighBySquares();
    storeBlocks(src, dst, lanes);
    blocks -= lanes;
    src += 128 * lanes;
    dst += 18 * lanes;
  }
}

/** The same under importance: `importance` points at that of the first weight. */
export function encodeIQ4_NLWeighted(src: usize, dst: usize, blocks: usize, importance: usize): void {
  while (blocks > 0) {
    const lanes: usize = blocks < 4 ? 1 : 4;
    const stride: usize = lanes == 4 ? 128 : 0;
    transpose4(src, stride, 32, LEVELS_X);
    transpose4(importance, stride, 32, LEVELS_WEIGHTS);
    let squares = i64x2.splat(0);
    for (let i: usize = 0; i < 512; i += 16) {
      const x = v128.load(LEVELS_X + i);
      squares = f32x4.add(squares, f32x4.mul(x, x));
    }
    weighErrors(LEVELS_X, LEVELS_WEIGHTS, 512, f32x4.mul(squares, f32x4.splat(<f32>2 / <f32>32)));
    storeBlocks(src, dst, lanes);
    blocks -= lanes;
    src += 128 * lanes;
    importance += 128 * lanes;
    dst += 18 * lanes;
  }
}

@inline
function storeBlocks(src: usize, dst: usize, lanes: usize): void {
  v128.store(SCALES, fitLevels4());
  for (let lane: usize = 0; lane < lanes; lane++) {
    const scale = load<f32>(SCALES + 4 * lane);
    store<u16>(dst + 18 * lane, resultToF16(scale));
    storeLevels(src + 128 * lane, dst + 18 * lane + 2, f32x4.splat(scale != 0 ? <f32>1 / scale : 0));
  }
}
