// y [T, R] = x [T, C] · wᵀ + bias. Items are panels of 8 rows of w, so a result does not depend on the threads.
import { LIST_TOKENS, listToken, multiplyPanel, PANEL } from '../../wasm/panel.wasm';

/** args: x, y, T, R, then those of multiplyPanel: w, bias or 0, C, type, blockSize, typeSize */
export function matmul(args: usize, begin: usize, end: usize, scratch: usize): void {
  const x: usize = load<u32>(args);
  const y: usize = load<u32>(args, 4);
  const tokens: usize = load<u32>(args, 8);
  const rows: usize = load<u32>(args, 12);
  const cols: usize = load<u32>(args, 24);
  for (let first: usize = 0; first < tokens; first += LIST_TOKENS) {
    const count = min(LIST_TOKENS, tokens - first);
    for (let i: usize = 0; i < count; i++)
      listToken(scratch, i, x + (first + i) * cols * 4, y + (first + i) * rows * 4);
    for (let panel = begin; panel < end; panel++) {
      const row = panel * PANEL;
      multiplyPanel(args + 16, row, min(PANEL, rows - row), row, count, scratch);
    }
  }
}
