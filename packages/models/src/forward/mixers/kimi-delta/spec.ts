// Kimi's delta attention (KDA, arXiv 2510.26692; transformers: BailingHybridDeltaAttention), as data. A gated delta net whose
// state forgets channel by channel of the key, and whose q, k and v have matrices and convolutions of their own:
//   q, k, v = silu(convolution(q · x)), …        beta = sigmoid(beta · x)
//   decay = lowerBound · sigmoid(a · (decay · x + dt)), without a bound −a · softplus(decay · x + dt)
//   y = output · (norm(deltaRule(q, k, v, decay, beta)) · sigmoid(gate · x))
export interface KimiDeltaSpec {
  readonly kind: 'kimi-delta';
  readonly heads: number;
  /** Scalars per head of q, k and v. */
  readonly headLength: number;
  /** Tokens that the convolutions see, the present one included. */
  readonly taps: number;
  /** The least logarithm of what a channel keeps; none: there is no such bound. */
  readonly lowerBound?: number;
  /** Of the norm of every head. */
  readonly eps: number;
}
