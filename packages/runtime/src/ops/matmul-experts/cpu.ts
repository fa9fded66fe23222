import { PANEL_ROWS } from '../matmul/cpu.ts';
import { multiplyRows } from '../matmul/rounded-rows.ts';
import type { CpuCall, CpuWork } from '../op.ts';

export function matmulExpertsCpu(call: CpuCall<'matmulExperts'>): readonly CpuWork[] {
  const { N, C, E, R, T, used } = call.dims as Record<'N' | 'C' | 'E' | 'R' | 'T' | 'used', number>;
  const slotsPerRow = (T * used) / N;
  return multiplyRows(call, { count: N, cols: C, bias: 0 }, ({ x, rowBytes, first, count, panelWords }) => {
    const [slot, slots] = [first * slotsPerRow, count * slotsPerRow];
    const places = [call.y + 4 * R * slot, call.input('ids') + 4 * slot];
    return {
      words: [x, rowBytes, ...places, slots, slotsPerRow, R, ...panelWords],
      items: E * Math.ceil(R / PANEL_ROWS),
      // As if the experts shared the tokens evenly.
      itemCost: Math.ceil((2 * PANEL_ROWS * slots * C) / E),
    };
  });
}
