// From values to places on an axis, with round numbers as ticks.
export interface Axis {
  /** 0 … 1 along the axis. */
  place(value: number): number;
  readonly ticks: readonly { readonly value: number; readonly label: string }[];
}

/** Ticks at 1, 2 or 5 times a power of ten, with as many digits as tell them apart. */
export function linearAxis(values: readonly number[], wantedTicks: number): Axis {
  const [low, high] = padded(Math.min(...values), Math.max(...values));
  const rough = (high - low) / wantedTicks;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const first = Math.ceil(low / step);
  const ticks = Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => {
    const value = (first + i) * step;
    return { value, label: labelOf(value, digits) };
  });
  return { place: (value) => (value - low) / (high - low), ticks };
}

/**
 * Decades, and 2 and 5 times them; values that are close together get a linear axis, on which they lie apart.
 * @param values above 0
 */
export function logAxis(values: readonly number[], wantedTicks: number): Axis {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  if (most / least < 3) return linearAxis(values, wantedTicks);
  const room = 0.08 * Math.log10(most / least);
  const [low, high] = [Math.log10(least) - room, Math.log10(most) + room];
  const powers = Array.from({ length: Math.ceil(high) - Math.floor(low) + 1 }, (_, i) => Math.floor(low) + i);
  const factors = high - low > 3 ? [1] : [1, 2, 5];
  const ticks = powers
    .flatMap((power) =>
      factors.map((factor) => ({ value: factor * 10 ** power, label: labelOf(factor * 10 ** power, -power) })),
    )
    .filter(({ value }) => Math.log10(value) >= low && Math.log10(value) <= high);
  return { place: (value) => (Math.log10(value) - low) / (high - low), ticks };
}

/** Powers of ten where the digits would be many. */
const labelOf = (value: number, digits: number): string =>
  value !== 0 && (Math.abs(value) >= 1e7 || (digits > 6 && Math.abs(value) < 1e-3))
    ? Number(value.toPrecision(6)).toExponential()
    : value.toFixed(Math.min(100, Math.max(0, digits)));

/** Room on both sides; a single value gets an interval of its size. */
function padded(low: number, high: number): [number, number] {
  // Differences in the last digits of a double are none.
  const isOne = high - low <= 1e-12 * Math.max(Math.abs(low), Math.abs(high));
  const room = isOne ? Math.abs(high) * 0.5 || 1 : (high - low) * 0.08;
  return [low - room, high + room];
}
