// How far written weights w are from those x they were made of:
//   relative RMSE √(Σ(w − x)² / Σx²) · largest |w − x| · cosine Σwx / √(Σw² Σx²)
// Sums are double; those of a tensor are added in the order of its rows, whatever was computed first.

export interface ErrorSums {
  squaredError: number;
  squaredSource: number;
  squaredWritten: number;
  product: number;
  largest: number;
  nonFinite: number;
}

export const noError = (): ErrorSums => ({
  squaredError: 0,
  squaredSource: 0,
  squaredWritten: 0,
  product: 0,
  largest: 0,
  nonFinite: 0,
});

/** Sums over as many weights as both have. */
export function sumErrors(source: Float32Array, written: Float32Array): ErrorSums {
  let [squaredError, squaredSource, squaredWritten, product, largest, nonFinite] = [0, 0, 0, 0, 0, 0];
  for (let i = 0; i < source.length; i++) {
    const x = source[i]!;
    const w = written[i]!;
    const error = Math.abs(w - x);
    // NaN − NaN and ∞ − ∞ are NaN: both count.
    if (!(error < Number.POSITIVE_INFINITY)) nonFinite++;
    if (error > largest) largest = error;
    squaredError += error * error;
    squaredSource += x * x;
    squaredWritten += w * w;
    product += x * w;
  }
  return { squaredError, squaredSource, squaredWritten, product, largest, nonFinite };
}

export function addErrors(sum: ErrorSums, more: ErrorSums): void {
  sum.squaredError += more.squaredError;
  sum.squaredSource += more.squaredSource;
  sum.squaredWritten += more.squaredWritten;
  sum.product += more.product;
  sum.largest = Math.max(sum.largest, more.largest);
  sum.nonFinite += more.nonFinite;
}

export interface ErrorFigures {
  /** 0 when equal; NaN when something is not finite. A source of zeros counts as 1. */
  readonly relativeRmse: number;
  readonly largestError: number;
  /** 1 when equal. */
  readonly cosine: number;
  /** Weights that are NaN or infinite, here or in the source. */
  readonly nonFinite: number;
}

export function figuresOf(sums: ErrorSums): ErrorFigures {
  const { squaredError, squaredSource, squaredWritten, product, largest, nonFinite } = sums;
  const norms = Math.sqrt(squaredSource * squaredWritten);
  return {
    relativeRmse: squaredError === 0 ? 0 : Math.sqrt(squaredError / (squaredSource || squaredError)),
    largestError: nonFinite > 0 ? Number.NaN : largest,
    cosine: norms === 0 ? (squaredError === 0 ? 1 : 0) : product / norms,
    nonFinite,
  };
}
