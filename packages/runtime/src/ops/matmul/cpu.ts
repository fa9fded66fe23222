import type { CpuCall, CpuWork } from '../op.ts';

/** Rows of w per item; the kernel's PANEL. */
const PANEL_ROWS = 8;

export const matmulCpu = ({ dims, input, weight, y }: CpuCall<'matmul'>): CpuWork => {
  const { T, C, R } = dims as { T: number; C: number; R: number };
  return {
    words: [input('x'), input('w'), input('bias'), y, T, C, R, ...weight('w')],
    items: Math.ceil(R / PANEL_ROWS),
    itemCost: 2 * PANEL_ROWS * T * C,
  };
};
