// An item is one number of y.
import type { Shader, WgslKernel } from '../../webgpu/kernel.ts';
import { single } from '../../webgpu/team.ts';

const shaderOf = (byRow: boolean, byColumn: boolean): Shader => ({
  name: `multiply${byRow ? ' row' : ''}${byColumn ? ' column' : ''}`,
  parts: () => ({
    inputs: ['x', 'by'],
    fields: ['C', 'byCols'],
    team: single,
    body: `put_y(item, get_x(item) * get_by(${byRow ? 'item / p.C * p.byCols' : '0u'} + ${byColumn ? 'item % p.C' : '0u'}));`,
  }),
});

export const multiplyWgsl: WgslKernel<'multiply'> = ({ dims, ranges }) => {
  const { N, C, byRows, byCols } = dims as Record<'N' | 'C' | 'byRows' | 'byCols', number>;
  const shared = byRows === 1;
  return ranges(N, shared ? ['x', 'y'] : ['x', 'by', 'y']).map((rows) => ({
    shader: shaderOf(!shared, byCols > 1),
    rows: { x: rows, y: rows, ...(!shared && { by: rows }) },
    items: rows.count * C,
  }));
};
