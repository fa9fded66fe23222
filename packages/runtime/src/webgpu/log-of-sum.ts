// ln Σ e^(x − largest) of a row by a team. WGSL has no f64: the sum is one of sums of 64, so that a vocabulary of 150k loses no
// digits. The shader declares `exponentialsWgsl`, team_sum and team_max.

/** Statements that give `largest` and `log_of_all` of the `width` numbers of `operand` from `at` on. */
export const logOfSum = (operand: string, width: string): string => `
  var largest = get_${operand}(at);
  for (var c = lane; c < ${width}; c += LANES) { largest = max(largest, get_${operand}(at + c)); }
  largest = team_max(largest, lane);
  var sum = 0.0;
  for (var start = lane; start < ${width}; start += 64u * LANES) {
    var part = 0.0;
    for (var c = start; c < min(${width}, start + 64u * LANES); c += LANES) { part += exp_of(get_${operand}(at + c) - largest); }
    sum += part;
  }
  let log_of_all = log_of(team_sum(sum, lane));`;
