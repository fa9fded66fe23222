// The factor that GPTQ walks along: U, upper triangular, with H⁻¹ = Uᵀ U. In f64 without forming H⁻¹:
//   H = R Rᵀ with R upper triangular (Cholesky from the last row up), and U = R⁻¹.

/**
 * @param matrix [n, n] symmetric; overwritten
 * @returns U [n, n] in the same array (zeros below the diagonal), or undefined when H is not positive definite
 */
export function inverseFactor(matrix: Float64Array, n: number): Float64Array | undefined {
  return factorFromBelow(matrix, n) ? invertUpper(matrix, n) : undefined;
}

/** In place: R in the upper triangle. */
function factorFromBelow(m: Float64Array, n: number): boolean {
  for (let j = n - 1; j >= 0; j--) {
    const rowJ = j * n;
    let diagonal = m[rowJ + j]!;
    for (let k = j + 1; k < n; k++) diagonal -= m[rowJ + k]! * m[rowJ + k]!;
    if (!(diagonal > 0)) return false;
    const pivot = Math.sqrt(diagonal);
    m[rowJ + j] = pivot;
    for (let i = 0; i < j; i++) {
      const rowI = i * n;
      let sum = m[rowI + j]!;
      for (let k = j + 1; k < n; k++) sum -= m[rowI + k]! * m[rowJ + k]!;
      m[rowI + j] = sum / pivot;
    }
  }
  return true;
}

/** In place: the inverse of an upper triangle, row by row from the last. */
function invertUpper(m: Float64Array, n: number): Float64Array {
  const row = new Float64Array(n);
  for (let i = n - 1; i >= 0; i--) {
    const from = i * n;
    row.fill(0);
    row[i] = 1;
    for (let k = i + 1; k < n; k++) {
      const factor = m[from + k]!;
      const rowK = k * n;
      for (let j = k; j < n; j++) row[j]! -= factor * m[rowK + j]!;
    }
    const pivot = m[from + i]!;
    for (let j = 0; j < n; j++) m[from + j] = j < i ? 0 : row[j]! / pivot;
  }
  return m;
}
