// IQ2_XXS for GPUs (layout.ts; contract: wgsl-decoders.ts).
import { iq2Wgsl } from '../grids/iq2.wgsl.ts';
import { QS_OFFSET } from './layout.ts';

export const iq2XxsWgsl = iq2Wgsl({
  begin: `  let sub = at + ${QS_OFFSET}u + 8u * (i >> 5u);
  let ranks = word(sub);
  let packed = word(sub + 4u);`,
  rank: (g) => `(ranks >> ${8 * g}u) & 255u`,
  signs: (g) => `even_signs((packed >> ${7 * g}u) & 127u)`,
  scale: () => 'packed >> 28u',
});
