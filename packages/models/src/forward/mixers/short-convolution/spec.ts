// A gated short convolution (LFM2; transformers: Lfm2ShortConv), as data:
//   b, c, x' = in · x        y = output · (c · convolution(b · x'))
export interface ShortConvolutionSpec {
  readonly kind: 'short-convolution';
  /** Tokens that the convolution sees, the present one included. */
  readonly taps: number;
  /** C: state knows no other width. */
  readonly width: number;
}
