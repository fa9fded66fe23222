import { QuernError } from '@quern/errors';
import type { Op } from '../op.ts';
import { pickExpertsCpu } from './cpu.ts';
import { pickExpertsWgsl } from './kernel.wgsl.ts';
import { pickExpertsReference } from './reference.ts';

export const pickExperts: Op<'pickExperts'> = {
  name: 'pickExperts',
  formula: 'ids[t] = table[tokens[t]]: the experts that a table gives to each token of the vocabulary',
  inputs: [
    { name: 'table', dtype: 'I32', shape: ['vocab', 'used'] },
    { name: 'tokens', dtype: 'I32', shape: ['T'], below: 'vocab' },
  ],
  output: { name: 'ids', dtype: 'I32', shape: ['T', 'used'], below: 'experts' },
  params: { experts: { kind: 'integer', min: 1 } },
  tolerance: 0,
  reference: pickExpertsReference,
  cpu: pickExpertsCpu,
  wgsl: pickExpertsWgsl,
  /** Only the rows that are used: a table has as many as the vocabulary. */
  checkIndices(indices, dims, { experts }) {
    const [table, used] = [indices('table'), dims.used!];
    for (const token of indices('tokens'))
      for (const id of table.subarray(token * used, (token + 1) * used))
        if (id < 0 || id >= experts)
          throw new QuernError(
            'op-index-out-of-range',
            `pickExperts: table[${token}] names expert ${id}, outside 0 … ${experts - 1}`,
          );
  },
};
