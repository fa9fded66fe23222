import type { CpuCall, CpuWork } from '../op.ts';
import { multiplyRows } from './rounded-rows.ts';

/** Rows of w per item; PANEL of wasm/token-list.wasm.ts. */
export const PANEL_ROWS = 8;

export function matmulCpu(call: CpuCall<'matmul'>): readonly CpuWork[] {
  const { T, C, R } = call.dims as { T: number; C: number; R: number };
  return multiplyRows(
    call,
    { count: T, cols: C, bias: call.input('bias') },
    ({ x, rowBytes, first, count, panelWords }) => ({
      words: [x, rowBytes, call.y + 4 * R * first, count, R, ...panelWords],
      items: Math.ceil(R / PANEL_ROWS),
      itemCost: 2 * PANEL_ROWS * count * C,
      joins: true,
    }),
  );
}
