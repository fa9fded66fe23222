// Items are panels of 8 rows, the experts' one after the other. Panels of one expert share the list of its slots (the
// places in ids that name it), so each row is read once for all its tokens, and not at all without any.
import { multiplyPanel } from '../../wasm/panel.wasm';
import { LIST_TOKENS, listToken, PANEL } from '../../wasm/token-list.wasm';

/** args: x, bytes of a row of x, y, ids, slots, slots per row of x, R, then those of multiplyPanel */
export function matmulExperts(args: usize, begin: usize, end: usize, scratch: usize): void {
  const ids: usize = load<u32>(args, 12);
  const slots: usize = load<u32>(args, 16);
  const rows: usize = load<u32>(args, 24);
  const panels = (rows + PANEL - 1) / PANEL;
  for (let item = begin; item < end; ) {
    const expert = item / panels;
    const next = min(end, (expert + 1) * panels);
    for (let slot: usize = 0; slot < slots; ) {
      let tokens: usize = 0;
      for (; slot < slots && tokens < LIST_TOKENS; slot++)
        if (<usize>load<u32>(ids + slot * 4) == expert) listSlot(args, slot, tokens++, scratch);
      if (tokens == 0) break;
      for (let panel = item; panel < next; panel++) {
        const row = (panel - expert * panels) * PANEL;
        multiplyPanel(args + 28, expert * rows + row, min(PANEL, rows - row), row, tokens, scratch);
      }
    }
    item = next;
  }
}

function listSlot(args: usize, slot: usize, index: usize, scratch: usize): void {
  const x = <usize>load<u32>(args) + (slot / <usize>load<u32>(args, 20)) * <usize>load<u32>(args, 4);
  const y = <usize>load<u32>(args, 8) + slot * <usize>load<u32>(args, 24) * 4;
  listToken(scratch, index, x, y);
}
