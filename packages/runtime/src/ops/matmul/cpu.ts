import type { CpuCall, CpuWork } from '../op.ts';

/** Rows of w per item; PANEL of wasm/panel.wasm.ts. */
export const PANEL_ROWS = 8;

export const matmulCpu = ({ dims, input, weight, y }: CpuCall<'matmul'>): CpuWork => {
  const { T, C, R } = dims as { T: number; C: number; R: number };
  return {
    words: [input('x'), y, T, R, input('w'), input('bias'), C, ...weight('w')],
    items: Math.ceil(R / PANEL_ROWS),
    itemCost: 2 * PANEL_ROWS * T * C,
  };
};
