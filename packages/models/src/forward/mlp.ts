// The gated MLP of a dense block, and of the expert that every token uses: y = down · (silu(gate · x) · (up · x))
import type { Tensor } from '@quern/runtime';
import type { MlpBuffers } from './buffers.ts';
import { type BatchPass, project } from './pass.ts';
import type { MlpWeights } from './weights.ts';

/** x, y [T, C]; y may be x. */
export function runMlp(pass: BatchPass, x: Tensor, weights: MlpWeights, { gate, up }: MlpBuffers, y: Tensor): void {
  project(pass, x, weights.gate, undefined, gate);
  project(pass, x, weights.up, undefined, up);
  pass.device.run('gatedAct', [gate, up], gate, { act: 'silu' });
  project(pass, gate, weights.down, undefined, y);
}
