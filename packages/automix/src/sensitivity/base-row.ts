// What the unquantized model thinks of the next token, kept for every scored place of the calibration text while hundreds
// of changed models are compared with it: two bytes per token of the vocabulary,
//
//   code = round(-ln p · 4096)      ln p = -code / 4096      65535: less likely than e^-16, left out as llama.cpp does
//
//   KLD = Σ p·(ln p - ln q) = Σ p·ln p - Σ p·logit + norm·Σ p      norm = ln Σ e^logit of the changed model
//
// One step for all rows makes e^-code a table, so that a comparison costs one exponential per token. The codes are off by
// at most 2^-13 in ln p; what that adds to a KLD is nearly the same for every model, and the base's own figure, which
// should be 0, says how much (`CalibrationRun` takes it off).

const perUnit = 4096;
const left = 0xffff;

const probabilities = Float64Array.from({ length: left + 1 }, (_, code) =>
  code === left ? 0 : Math.exp(-code / perUnit),
);

/** Codes of the row of logits [vocab]. */
export function encodeBaseRow(logits: Float32Array, codes: Uint16Array): void {
  const norm = logSumExp(logits);
  for (let i = 0; i < logits.length; i++) {
    const code = Math.round((norm - logits[i]!) * perUnit);
    codes[i] = code < left ? Math.max(0, code) : left;
  }
}

/** KLD in nats of the logits [vocab] from the base's row. */
export function divergenceFrom(codes: Uint16Array, logits: Float32Array): number {
  let [ownEntropy, cross, mass] = [0, 0, 0];
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    const p = probabilities[code]!;
    ownEntropy -= p * code;
    cross += p * logits[i]!;
    mass += p;
  }
  return ownEntropy / perUnit - cross + logSumExp(logits) * mass;
}

function logSumExp(logits: Float32Array): number {
  let max = logits[0]!;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > max) max = logits[i]!;
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += Math.exp(logits[i]! - max);
  return max + Math.log(sum);
}
