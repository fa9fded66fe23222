// An item is one sum: a column of one expert, which looks through all slots for its own, so that no two lanes add to one sum.
import type { Shader, WgslKernel } from '../../webgpu/kernel.ts';
import { single } from '../../webgpu/team.ts';

const shader: Shader = {
  name: 'sumSquaresExperts',
  parts: () => ({
    inputs: ['x', 'ids'],
    fields: ['C', 'slots', 'slots_per_row'],
    team: single,
    body: `
  let expert = item / p.C;
  var sum = get_sums(item);
  for (var slot = 0u; slot < p.slots; slot++) {
    if (get_ids(slot) != expert) { continue; }
    let v = get_x(slot / p.slots_per_row * p.C + item % p.C);
    sum += v * v;
  }
  put_sums(item, sum);`,
  }),
};

export const sumSquaresExpertsWgsl: WgslKernel<'sumSquaresExperts'> = ({ dims }) => {
  const { N, C, E, T, used } = dims as Record<'N' | 'C' | 'E' | 'T' | 'used', number>;
  return [{ shader, fields: { slots: T * used, slots_per_row: (T * used) / N }, items: E * C }];
};
