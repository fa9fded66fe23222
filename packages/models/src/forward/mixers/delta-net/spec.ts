// A gated delta net (arXiv 2412.06464; transformers: Qwen3NextGatedDeltaNet, Qwen3_5GatedDeltaNet), as data. A state of
// [keyLength, valueLength] per head forgets, and is corrected by what it does not yet know of a token:
//   q, k, v = silu(convolution(qkv · x))        decay = a · softplus(alpha · x + dt)        beta = sigmoid(beta · x)
//   y = output · (norm(deltaRule(q, k, v, decay, beta)) · silu(gate · x))
export interface DeltaNetSpec {
  readonly kind: 'delta-net';
  readonly keyHeads: number;
  readonly heads: number;
  /**
   * Which value heads share a key head. `turns`: h uses h mod keyHeads. `neighbours`: the first heads / keyHeads use the first,
   * and so on; then beta and alpha are one matrix, those of a key head's heads after one another (Qwen3-Next).
   */
  readonly sharing: 'turns' | 'neighbours';
  /** Scalars per head of q and k. */
  readonly keyLength: number;
  /** Scalars per head of v. */
  readonly valueLength: number;
  /** Tokens that the convolution sees, the present one included. */
  readonly taps: number;
  /** Of the norm of every head. */
  readonly eps: number;
}
