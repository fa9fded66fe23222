// A Mamba-2 mixer (arXiv 2405.21060; transformers: Mamba2Mixer, NemotronHMamba2Mixer, GraniteMoeHybridMambaLayer), as data:
//   z, xbc, dt = in · x        xbc = silu(convolution(xbc))
//   y = output · norm(scan(xbc, softplus(dt + bias), a, d) · silu(z))
export interface Mamba2Spec {
  readonly kind: 'mamba2';
  readonly heads: number;
  /** Scalars of a head of x. */
  readonly headLength: number;
  /** Heads of a group share b and c. */
  readonly groups: number;
  /** Scalars of b and c. */
  readonly stateLength: number;
  /** Tokens that the convolution sees, the present one included. */
  readonly taps: number;
  /** `ssm_conv1d.bias` */
  readonly convolutionBias: boolean;
  /** RMS norm of every group by itself; none: the output matrix reads the gated scan (Falcon-H1). */
  readonly norm?: { readonly eps: number };
}

export function widthsOf({ heads, headLength, groups, stateLength }: Mamba2Spec) {
  const inner = heads * headLength;
  const channels = inner + 2 * groups * stateLength;
  return { inner, channels, projected: inner + channels + heads };
}
