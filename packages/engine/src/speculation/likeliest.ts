// The likeliest token of a row of logits, and how likely it is.

export interface Likeliest {
  readonly token: number;
  readonly probability: number;
}

export function likeliest(logits: Float32Array): Likeliest {
  let token = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[token]!) token = i;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - logits[token]!);
  return { token, probability: 1 / sum };
}
