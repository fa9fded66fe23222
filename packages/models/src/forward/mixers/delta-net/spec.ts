// A gated delta net (arXiv 2412.06464; transformers: Qwen3NextGatedDeltaNet, Qwen3_5GatedDeltaNet), as data. A state of
// [keyLength, valueLength] per head forgets, and is corrected by what it does not yet know of a token:
//   q, k, v = silu(convolution(qkv · x))        decay = a · softplus(alpha · x + dt)        beta = sigmoid(beta · x)
//   y = output · (norm(deltaRule(q, k, v, decay, beta)) · silu(gate · x))
export interface DeltaNetSpec {
  readonly kind: 'delta-net';
  /** Value head h uses key head h mod keyHeads. */
  readonly keyHeads: number;
  readonly heads: number;
  /** Scalars per head of q and k. */
  readonly keyLength: number;
  /** Scalars per head of v. */
  readonly valueLength: number;
  /** Tokens that the convolution sees, the present one included. */
  readonly taps: number;
  /** Of the norm of every head. */
  readonly eps: number;
}
