// IQ2_S for GPUs (layout.ts; contract: wgsl-decoders.ts).
import { iq2Wgsl } from '../grids/iq2.wgsl.ts';
import { QH_OFFSET, QS_OFFSET, SCALES_OFFSET, SIGNS_OFFSET } from './layout.ts';

export const iq2SWgsl = iq2Wgsl({
  begin: `  let low = word(at + ${QS_OFFSET}u + (i >> 3u));
  let high = byte_at(at + ${QH_OFFSET}u + (i >> 5u));
  let signs = word(at + ${SIGNS_OFFSET}u + (i >> 3u));
  let scales = byte_at(at + ${SCALES_OFFSET}u + (i >> 5u));`,
  rank: (g) => `((low >> ${8 * g}u) & 255u) | (((high >> ${2 * g}u) & 3u) << 8u)`,
  signs: (g) => `signs >> ${8 * g}u`,
  scale: (g) => `(scales >> ${4 * (g >> 1)}u) & 15u`,
});
