// F32 → IQ4_XS (layout.ts), the arithmetic of reference.ts on four sub-blocks at a time.
import { f32ToF16 } from '../half.wasm';
import { fitLevels4, LEVELS_WEIGHTS, LEVELS_X, weighBySquares } from '../iq4-nl/levels.wasm';
import { storeLevels } from '../iq4-nl/nearest-level.wasm';
import { nearestInt } from '../rounding.wasm';
import { weighErrors } from '../search/error-weights.wasm';
import { addSquares } from '../squares.wasm';
import { transpose4 } from '../transpose.wasm';

const SCALES = memory.data(32, 16);

/** 256 floats each at `src` → `blocks` blocks of 136 bytes at `dst`. */
export function encodeIQ4_XS(src: usize, dst: usize, blocks: usize): void {
  for (let block: usize = 0; block < blocks; block++) {
    for (let half: usize = 0; half < 2; half++) {
      transpose4(src + 512 * half, 128, 32, LEVELS_X);
      weighBySquares();
      v128.store(SCALES + 16 * half, fitLevels4());
    }
    storeBlock(src, dst);
    src += 1024;
    dst += 136;
  }
}

/** The same under importance: `importance` points at that of the first weight. */
export function encodeIQ4_XSWeighted(src: usize, dst: usize, blocks: usize, importance: usize): void {
  for (let block: usize = 0; block < blocks; block++) {
    const meanSquare2 = f32x4.splat(addSquares(src, 256, 0) * (<f32>2 / <f32>256));
    for (let half: usize = 0; half < 2; half++) {
      transpose4(src + 512 * half, 128, 32, LEVELS_X);
      transpose4(importance + 512 * half, 128, 32, LEVELS_WEIGHTS);
      weighErrors(LEVELS_X, LEVELS_WEIGHTS, 512, meanSquare2);
      v128.store(SCALES + 16 * half, fitLevels4());
    }
    storeBlock(src, dst);
    src += 1024;
    importance += 1024;
    dst += 136;
  }
}

/** Stores the eight scales found relative to the extreme one, and codes with what is stored. */
function storeBlock(src: usize, dst: usize): void {
  let extreme: f32 = 0;
  for (let j: usize = 0; j < 32; j += 4) {
    const scale = load<f32>(SCALES + j);
    if (abs(scale) > abs(extreme)) extreme = scale;
  }
  const d: f32 = -extreme / <f32>32;
  const inverse: f32 = d != 0 ? <f32>1 / d : 0;
  let high: u32 = 0;
  let low: u32 = 0;
  for (let j: u32 = 0; j < 8; j++) {
    const l = max<i32>(-32, min<i32>(31, nearestInt(inverse * load<f32>(SCALES + 4 * j))));
    const scale: f32 = d * <f32>l;
    storeLevels(src + 128 * j, dst + 16 * j + 8, f32x4.splat(scale != 0 ? <f32>1 / scale : 0));
    low |= ((l + 32) & 15) << (4 * j);
    high |= ((l + 32) >> 4) << (2 * j);
  }
  store<u16>(dst, f32ToF16(d));
  store<u16>(dst, high, 2);
  store<u32>(dst, low, 4);
}
