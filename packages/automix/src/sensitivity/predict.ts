// Sensitivities of types that were not measured, from those that were. To second order, KLD is quadratic in what changes
// in the weights: KLD ≈ a·E with E = Σ w·(x - x̂)², w the importance of the column (1 without an importance matrix). The
// factor a, how much the network minds an error in this tensor, comes from the measured types:
//   one      a = KLD / E
//   several  ln KLD is interpolated in ln E between the two around; outside, a of the nearer one

export interface MeasuredType {
  /** E */
  readonly squaredError: number;
  readonly kld: number;
}

/** A KLD that is lost in rounding, or below it, counts as this. */
export const leastDivergence = 1e-9;

/**
 * KLD of a type with this squared error; undefined when no measured type changed anything.
 * @param measured of the same tensor
 */
export function predictDivergence(measured: readonly MeasuredType[], squaredError: number): number | undefined {
  if (squaredError === 0) return 0;
  const points = measured
    .filter((point) => point.squaredError > 0)
    .map((point) => ({ squaredError: point.squaredError, kld: Math.max(point.kld, leastDivergence) }))
    .sort((a, b) => a.squaredError - b.squaredError);
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last) return undefined;
  if (squaredError <= first.squaredError) return (first.kld * squaredError) / first.squaredError;
  if (squaredError >= last.squaredError) return (last.kld * squaredError) / last.squaredError;
  const next = points.findIndex((point) => point.squaredError >= squaredError);
  const [below, above] = [points[next - 1]!, points[next]!];
  const part = Math.log(squaredError / below.squaredError) / Math.log(above.squaredError / below.squaredError);
  return Math.exp(Math.log(below.kld) + part * Math.log(above.kld / below.kld));
}
