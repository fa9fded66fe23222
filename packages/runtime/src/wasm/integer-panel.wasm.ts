// A panel (up to 8 rows of quantized weights, which lie side by side: @quern/blocks src/activations/rows8.wasm.ts) against
// a list of tokens whose activations are rounded to 8 bits: the inner part of matmul and matmulExperts.
//
// The arithmetic is one for both ways through this file, so a token's result does not depend on its batch:
//   y = Σ over blocks, in order, of step · (d · Σ code · x − dmin · Σ min · x), then + bias
// where the inner sums are integers, hence exact, and every other operation is rounded to f32 in this order.
//
// - few tokens, or rows left over: the groups of 8 rows against one token (`dotGroups`);
// - many tokens: KC weights of 8 rows are taken out of their bits into a panel, and multiplied in tiles of a few tokens × 8 rows, bytes
//   with relaxed SIMD (`tileOfBytes`) or words (`tileOfWords`). Sums over the blocks so far live in y.
import { panelBlockBytes } from '@quern/blocks/src/activations/panel.wasm';
import { BYTE_TILE, takesBytes, tileOfBytes } from './byte-tile.wasm';
import { dotGroups, unpackGroup } from './integer-types.wasm';
import { LIST_BYTES, PANEL } from './token-list.wasm';
import { WORD_TILE, tileOfWords, widen, wordBlockBytes } from './word-tile.wasm';

const KC: usize = 1024;
/** A panel is not worth its making for fewer. */
const LEAST_TOKENS: usize = 4;
// Scratch after the list of tokens: what the types' kernels use; eight results, or the sums of a tile; a block of a panel before it
// becomes one of words; the panel.
const KERNEL: usize = LIST_BYTES;
const RESULTS: usize = KERNEL + 512;
const BLOCK: usize = RESULTS + 128;
const PACKED: usize = BLOCK + 3072;

/**
 * Multiplies `count` ≤ 8 rows of w with the first `tokens` of the list.
 * args: first group of w, bias or 0, C, type, blockSize, typeSize, (rounded), row of the first group that is row 0
 */
export function multiplyIntegers(
  args: usize,
  row: usize,
  count: usize,
  column: usize,
  tokens: usize,
  scratch: usize,
): void {
  const first = row + <usize>load<u32>(args, 28), lane = first % PANEL;
  const here = min(count, PANEL - lane);
  multiplyGroup(args, first / PANEL, lane, here, column, tokens, scratch);
  if (here < count) multiplyGroup(args, first / PANEL + 1, 0, count - here, column + here, tokens, scratch);
}

/** Rows `lane` … `lane + count` − 1 of a row of groups. */
function multiplyGroup(
  args: usize,
  group: usize,
  lane: usize,
  count: usize,
  column: usize,
  tokens: usize,
  scratch: usize,
): void {
  const cols: usize = load<u32>(args, 8), type = load<u32>(args, 12);
  const blockSize: usize = load<u32>(args, 16), typeSize: usize = load<u32>(args, 20);
  const blocks = cols / blockSize;
  const w = <usize>load<u32>(args) + group * blocks * PANEL * typeSize;
  let done: usize = 0;
  if (count == PANEL) {
    const bytes = takesBytes(type);
    done = tokens < LEAST_TOKENS ? 0 : tokens - (tokens % (bytes ? BYTE_TILE : WORD_TILE));
    if (done) tilePanel(args, w, column, done, bytes, scratch);
  }
  for (; done < tokens; done++) {
    const token = scratch + 8 * done;
    dotGroups(type, w, blocks, load<u32>(token), scratch + RESULTS, scratch + KERNEL);
    storeResults(args, scratch + RESULTS + 4 * lane, count, column, load<u32>(token, 4));
  }
}

/** `count` results of one token. */
@inline
function storeResults(args: usize, results: usize, count: usize, column: usize, y: usize): void {
  const bias: usize = load<u32>(args, 4);
  y += 4 * column;
  if (count == PANEL && !bias) {
    v128.store(y, v128.load(results));
    v128.store(y, v128.load(results, 16), 16);
    return;
  }
  for (let i: usize = 0; i < 4 * count; i += 4)
    store<f32>(y + i, bias ? load<f32>(results + i) + load<f32>(bias + 4 * column + i) : load<f32>(results + i));
}

/** A row of groups against `tokens` (a multiple of a tile's), as bytes or words. */
function tilePanel(args: usize, w: usize, column: usize, tokens: usize, bytes: bool, scratch: usize): void {
  const bias: usize = load<u32>(args, 4), cols: usize = load<u32>(args, 8), type = load<u32>(args, 12);
  const blockSize: usize = load<u32>(args, 16), groupBytes = PANEL * <usize>load<u32>(args, 20);
  const list = scratch + 8 * tokens, panel = scratch + PACKED;
  for (let k: usize = 0; k < cols; k += KC) {
    const count = min(KC, cols - k);
    let to = panel;
    for (const end = w + groupBytes * (count / blockSize); w < end; w += groupBytes) {
      if (bytes) {
        unpackGroup(type, w, to, scratch + KERNEL);
        to += panelBlockBytes(blockSize);
      } else {
        unpackGroup(type, w, scratch + BLOCK, scratch + KERNEL);
        widen(scratch + BLOCK, type, blockSize, to);
        to += wordBlockBytes(blockSize);
      }
    }
    if (ASC_FEATURE_RELAXED_SIMD && bytes) {
      for (let token = scratch; token < list; token += 8 * BYTE_TILE) tileOfBytes(args, token, k, count, panel, 4 * column);
    } else {
      for (let token = scratch; token < list; token += 8 * WORD_TILE) tileOfWords(args, token, k, count, panel, scratch + RESULTS, 4 * column);
    }
  }
  if (!bias) return;
  for (let token = scratch; token < list; token += 8) {
    const y = <usize>load<u32>(token, 4) + 4 * column;
    v128.store(y, f32x4.add(v128.load(y), v128.load(bias + 4 * column)));
    v128.store(y, f32x4.add(v128.load(y, 16), v128.load(bias + 4 * column, 16)), 16);
  }
}
