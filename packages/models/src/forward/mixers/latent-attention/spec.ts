// Latent attention (MLA, arXiv 2405.04434 §2.1; transformers: DeepseekV3Attention), as data. Of every token one short vector
// is kept, from which each head makes its keys and its values, and a rotary key that all heads share:
//   latent, r = norm(kvA[…latent] · x), rope(kvA[latent…] · x)
//   score of head h = scale · (qₕ · (Kₕ · latent) + rope(q'ₕ) · r)        y = output · [Vₕ · Σ softmax(score) · latent]
// qₕ · (Kₕ · latent) = (Kₕᵀ · qₕ) · latent: keys and values are never made, all heads attend to the latents themselves.
import type { RopeSpec } from '../../rope.ts';

export interface LatentAttentionSpec {
  readonly kind: 'latent-attention';
  readonly heads: number;
  /** Width of the vector that queries are made of, or undefined where they are made of x itself. */
  readonly queryRank?: number;
  /** Width of what is kept of a token, without the rotary key. */
  readonly rank: number;
  /** Scalars of a head's query that meet the latent. */
  readonly plainLength: number;
  /** Scalars of a head's query, and of the shared key, that know the position. */
  readonly rotaryLength: number;
  /** Scalars of a head's value. */
  readonly valueLength: number;
  readonly scale: number;
  /** Of the norms of the latent and of what queries are made of. */
  readonly eps: number;
  /** What every head gives is multiplied by sigmoid(gate · x), a number for each head. */
  readonly gated?: true;
  /** None: attention does not know the order of the tokens. */
  readonly rope?: RopeSpec;
}
