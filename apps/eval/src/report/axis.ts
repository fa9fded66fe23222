// From values to places on an axis, with round numbers as ticks.
export interface Axis {
  /** 0 … 1 along the axis. */
  place(value: number): number;
  readonly ticks: readonly number[];
}

/** Ticks at 1, 2 or 5 times a power of ten. */
export function linearAxis(values: readonly number[], wantedTicks: number): Axis {
  const [low, high] = padded(Math.min(...values), Math.max(...values));
  const rough = (high - low) / wantedTicks;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.ceil(low / step);
  const ticks = Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => (first + i) * step);
  return { place: (value) => (value - low) / (high - low), ticks };
}

/** @param values above 0 */
export function logAxis(values: readonly number[]): Axis {
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
  const ticks = Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i));
  return { place: (value) => Math.max(0, (Math.log10(value) - low) / (high - low)), ticks };
}

/** Room on both sides; a single value gets an interval of its size. */
function padded(low: number, high: number): [number, number] {
  const room = high > low ? (high - low) * 0.08 : Math.abs(high) * 0.5 || 1;
  return [low - room, high + room];
}
