// IQ2_XS for GPUs (layout.ts; contract: wgsl-decoders.ts).
import { iq2Wgsl } from '../grids/iq2.wgsl.ts';
import { QS_OFFSET, SCALES_OFFSET } from './layout.ts';

const packed = (g: number) => `((packed[${g >> 1}] >> ${16 * (g & 1)}u) & 0xffffu)`;

export const iq2XsWgsl = iq2Wgsl({
  begin: `  let a = at + ${QS_OFFSET}u + 2u * (i >> 3u);
  let packed = vec2<u32>(word(a), word(a + 4u));
  let scales = byte_at(at + ${SCALES_OFFSET}u + (i >> 5u));`,
  rank: (g) => `${packed(g)} & 511u`,
  signs: (g) => `even_signs(${packed(g)} >> 9u)`,
  scale: (g) => `(scales >> ${4 * (g >> 1)}u) & 15u`,
});
