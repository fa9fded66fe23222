// y [T, R] = x [T, C] · wᵀ + bias. Items are panels of 8 rows of w, so a result does not depend on the threads.
import { multiplyPanel } from '../../wasm/panel.wasm';
import { LIST_TOKENS, listToken, PANEL } from '../../wasm/token-list.wasm';

/** args: x, bytes of a row of x, y, T, R, then those of multiplyPanel */
export function matmul(args: usize, begin: usize, end: usize, scratch: usize): void {
  const x: usize = load<u32>(args), rowBytes: usize = load<u32>(args, 4), y: usize = load<u32>(args, 8);
  const tokens: usize = load<u32>(args, 12), rows: usize = load<u32>(args, 16);
  for (let first: usize = 0; first < tokens; first += LIST_TOKENS) {
    const count = min(LIST_TOKENS, tokens - first);
    for (let i: usize = 0; i < count; i++)
      listToken(scratch, i, x + (first + i) * rowBytes, y + (first + i) * rows * 4);
    for (let panel = begin; panel < end; panel++) {
      const row = panel * PANEL;
      multiplyPanel(args + 20, row, min(PANEL, rows - row), row, count, scratch);
    }
  }
}
