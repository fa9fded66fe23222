// One sub-layer of a block on one device: norms, parts, and what they add to the residual stream.
import type { Tensor } from '@quern/runtime';
import { scratchNames } from './buffers.ts';
import type { PartSpec, SubLayerSpec } from './network.ts';
import { type NormSpec, type NormWeights, runNorm } from './norm.ts';
import type { BatchPass } from './pass.ts';
import { type ByRole, roomOf } from './rooms.ts';
import type { PartWeights, SubLayerWeights } from './weights.ts';

/** What a part has computed, [T, C]. */
export interface PartResult {
  /** Of its room: `attention`. */
  readonly title: string;
  readonly y: Tensor;
}

/**
 * Computes what the sub-layer adds to the residual stream [T, C]; the addition is the caller's. Where several devices share
 * a block, each has only its share of every `PartResult`: before the next step is asked for, `y` must hold the sum.
 * @param states one per part, by role
 */
export function* computeSubLayer(
  pass: BatchPass,
  spec: SubLayerSpec,
  weights: SubLayerWeights,
  states: readonly ByRole<Tensor>[],
): Generator<PartResult, Tensor> {
  const { device } = pass;
  const x = normed(pass, spec.before, weights.before, pass.buffer('residual'), 'normed');
  const sum = pass.buffer('addend');
  for (const [i, part] of spec.parts.entries()) {
    const y = i === 0 ? sum : pass.buffer('part');
    const title = computePart(pass, part, weights.parts[i]!, states[i]!, x, y);
    yield { title, y };
    if (part.after) runNorm(device, part.after, weights.parts[i]!.after!, y, y);
    if (i > 0) device.run('add', [sum, y], sum, {});
  }
  if (spec.after) runNorm(device, spec.after, weights.after!, sum, sum);
  if (spec.scale !== undefined) device.run('scale', [sum], sum, { factor: spec.scale });
  return sum;
}

function computePart(
  pass: BatchPass,
  { room: spec, before }: PartSpec,
  weights: PartWeights,
  state: ByRole<Tensor>,
  shared: Tensor,
  y: Tensor,
): string {
  const room = roomOf(spec);
  const x = before ? normed(pass, before, weights.before, pass.buffer('residual'), 'partNormed') : shared;
  const scratch: Record<string, Tensor> = {};
  for (const [role, name] of scratchNames(spec, y.shape[1]!)) scratch[role] = pass.buffer(name);
  room.run({ pass, spec, weights: weights.room, scratch, state, x, y });
  return room.title;
}

function normed(
  pass: BatchPass,
  norm: NormSpec | undefined,
  weights: NormWeights | undefined,
  x: Tensor,
  into: string,
): Tensor {
  if (!norm) return x;
  const y = pass.buffer(into);
  runNorm(pass.device, norm, weights!, x, y);
  return y;
}
