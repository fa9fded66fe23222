import { QuernError } from '@quern/errors';
import type { Op } from '../op.ts';
import { multiplyCpu } from './cpu.ts';
import { multiplyWgsl } from './kernel.wgsl.ts';
import { multiplyReference } from './reference.ts';

export const multiply: Op<'multiply'> = {
  name: 'multiply',
  formula: 'y[n][c] = x[n][c] · by[n][c]; one row of `by` serves all rows, one column all columns',
  inputs: [
    { name: 'x', dtype: 'F32', shape: ['N', 'C'], mayAlias: true },
    { name: 'by', dtype: 'F32', shape: ['byRows', 'byCols'] },
  ],
  output: { name: 'y', dtype: 'F32', shape: ['N', 'C'] },
  params: {},
  tolerance: 0,
  reference: multiplyReference,
  cpu: multiplyCpu,
  wgsl: multiplyWgsl,
  checkDims({ N, C, byRows, byCols }) {
    if ((byRows !== N && byRows !== 1) || (byCols !== C && byCols !== 1))
      throw new QuernError(
        'op-bad-shape',
        `multiply: by has shape [${byRows}, ${byCols}], expected [N=${N} or 1, C=${C} or 1]`,
      );
  },
};
