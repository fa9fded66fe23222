// The scales that the search tries (AutoAWQ quantizer.py _compute_best_scale, duo scaling):
//   s = x̄^r / (w̄^(1−r) + 1e-4),  at least 1e-4,  divided by √(max s · min s)        r = 0/20, 1/20 … 19/20
// x̄: mean |x| of a channel; w̄: mean over the rows of |w| / (largest |w| of its group + 1e-6).

export const ratios = Array.from({ length: 20 }, (_, i) => i / 20);

const f32 = Math.fround;

/** w̄ [cols] of matrices that share their columns. */
export function weightMeans(matrices: readonly Float32Array[], cols: number, groupSize: number): Float32Array {
  const sums = new Float64Array(cols);
  let rows = 0;
  for (const weights of matrices) {
    rows += weights.length / cols;
    for (let from = 0; from < weights.length; from += groupSize) {
      let largest = 0;
      for (let i = from; i < from + groupSize; i++) largest = Math.max(largest, Math.abs(weights[i]!));
      const divisor = f32(largest + f32(1e-6));
      const firstCol = from % cols;
      for (let i = 0; i < groupSize; i++) sums[firstCol + i]! += f32(Math.abs(weights[from + i]!) / divisor);
    }
  }
  return Float32Array.from(sums, (sum) => sum / rows);
}

export function scaleCandidate(inputMeans: Float32Array, weights: Float32Array, ratio: number): Float32Array {
  const scales = new Float32Array(inputMeans.length);
  let max = 0;
  let min = Infinity;
  for (let c = 0; c < scales.length; c++) {
    const divisor = f32(f32(weights[c]! ** (1 - ratio)) + f32(1e-4));
    const scale = Math.max(f32(f32(inputMeans[c]! ** ratio) / divisor), f32(1e-4));
    scales[c] = scale;
    max = Math.max(max, scales[c]!);
    min = Math.min(min, scales[c]!);
  }
  const middle = f32(Math.sqrt(f32(max * min)));
  for (let c = 0; c < scales.length; c++) {
    const scale = f32(scales[c]! / middle);
    scales[c] = Number.isFinite(scale) ? scale : 1;
  }
  return scales;
}
