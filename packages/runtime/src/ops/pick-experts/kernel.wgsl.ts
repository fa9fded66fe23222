// An item is one id.
import type { Shader, WgslKernel } from '../../webgpu/kernel.ts';
import { single } from '../../webgpu/team.ts';

const shader: Shader = {
  name: 'pickExperts',
  parts: () => ({
    inputs: ['table', 'tokens'],
    fields: ['used'],
    team: single,
    body: 'put_ids(item, get_table(get_tokens(item / p.used) * p.used + item % p.used));',
  }),
};

export const pickExpertsWgsl: WgslKernel<'pickExperts'> = ({ dims, ranges }) =>
  ranges(dims.T!, ['tokens', 'ids']).map((rows) => ({
    shader,
    rows: { tokens: rows, ids: rows },
    items: rows.count * dims.used!,
  }));
