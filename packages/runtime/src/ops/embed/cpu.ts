import type { CpuCall, CpuWork } from '../op.ts';

export function embedCpu({ dims, input, sideBySide, weight, y }: CpuCall<'embed'>): CpuWork {
  const groups = sideBySide('table', dims.C!);
  const order = groups ? [1, groups.firstRow] : [0, 0];
  return {
    words: [groups ? groups.address : input('table'), input('ids'), y, dims.C!, ...weight('table'), ...order],
    items: dims.T!,
    itemCost: 4 * dims.C!,
  };
}
