// A bias on its way to the engine's thread. A Map of a whole vocabulary takes 0.15 s to copy; memory that both threads see takes nothing,
// however many requests have the bias.
import type { SamplingOptions } from './sampling/options.ts';

export interface SentBias {
  readonly tokens: Int32Array;
  readonly amounts: Float64Array;
}

type Bias = NonNullable<SamplingOptions['logitBias']>;

const sent = new WeakMap<Bias, SentBias>();

export function sendBias(bias: Bias): SentBias {
  const known = sent.get(bias);
  if (known) return known;
  const tokens = new Int32Array(new SharedArrayBuffer(4 * bias.size));
  const amounts = new Float64Array(new SharedArrayBuffer(8 * bias.size));
  let at = 0;
  for (const [token, amount] of bias) {
    tokens[at] = token;
    amounts[at++] = amount;
  }
  sent.set(bias, { tokens, amounts });
  return { tokens, amounts };
}

export function receivedBias({ tokens, amounts }: SentBias): Bias {
  const bias = new Map<number, number>();
  for (const [at, token] of tokens.entries()) bias.set(token, amounts[at]!);
  return bias;
}
