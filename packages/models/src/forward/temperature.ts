// Queries that grow with their position (Llama 4's attention temperature): computed on the host once per batch, as rope's
// tables are.  q · (1 + scale · ln(1 + ⌊(position + first) / length⌋))
import { type BlockSpec, partsOf } from './network.ts';

export interface TemperatureSpec {
  readonly scale: number;
  /** Positions of one step. */
  readonly length: number;
  /** What the first position counts as: 1 for Llama 4; 0 when not given. */
  readonly first?: number;
}

/** Name of the buffer [T, 1] of its factors. */
export const temperatureBuffer = ({ scale, length, first = 0 }: TemperatureSpec): string =>
  `temperature ${scale} ${length} ${first}`;

/** Those of some blocks, by the names of their buffers. A mixer with one calls it `temperature`. */
export function distinctTemperatures(blocks: readonly BlockSpec[]): Map<string, TemperatureSpec> {
  const found = new Map<string, TemperatureSpec>();
  for (const { room } of blocks.flatMap(partsOf))
    if ('temperature' in room && room.temperature) found.set(temperatureBuffer(room.temperature), room.temperature);
  return found;
}

/** Rounded step by step, as transformers computes it in f32. */
export const temperatureFactors = (
  { scale, length, first = 0 }: TemperatureSpec,
  positions: Int32Array,
): Float32Array =>
  Float32Array.from(positions, (position) => {
    const steps = Math.floor((position + first) / length);
    return 1 + Math.fround(Math.fround(scale) * Math.fround(Math.log(1 + steps)));
  });
