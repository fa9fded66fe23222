// A panel of weights against a list of tokens (token-list.wasm.ts):
//   y[token][column + r] = x[token] · w[row + r] + bias[column + r]
import { multiplyFloats } from './float-panel.wasm';
import { multiplyIntegers } from './integer-panel.wasm';

/**
 * Multiplies `count` ≤ 8 rows of w with the first `tokens` of the list, whose x are floats or rounded.
 * args: w, bias or 0, C, type, blockSize, typeSize, kind of x and w; where x is rounded the row of w's first group that is row 0
 * Kinds: 0 floats, 1 x is rounded, 2 floats and w finite.
 */
@inline
export function multiplyPanel(
  args: usize,
  row: usize,
  count: usize,
  column: usize,
  tokens: usize,
  scratch: usize,
): void {
  if (load<u32>(args, 24) == 1) multiplyIntegers(args, row, count, column, tokens, scratch);
  else multiplyFloats(args, row, count, column, tokens, scratch);
}
