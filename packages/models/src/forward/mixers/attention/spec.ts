// Softmax attention over keys and values of other tokens, as data.
//   y = output · (attention(rope(norm(q · x)), rope(norm(k · x)), v · x) · act(gate · x))
// q, k, v, output may be biased; most have no gate.
import type { OpParams } from '@quern/runtime';
import type { RopeSpec } from '../../rope.ts';
import type { TemperatureSpec } from '../../temperature.ts';

export interface AttentionSpec {
  readonly kind: 'attention';
  readonly heads: number;
  readonly kvHeads: number;
  /** Scalars per head of q and k. */
  readonly keyLength: number;
  /** Scalars per head of v. */
  readonly valueLength: number;
  /** Multiplies q · k; usually 1 / √keyLength. */
  readonly scale: number;
  /** A token attends to itself and the `window - 1` tokens before it; undefined: to all. */
  readonly window?: number;
  /** Only positions of the token's own part of so many are seen (Llama 4). */
  readonly chunk?: number;
  /** False: later tokens of the batch are seen too, as far as the window (embedding models). Default true. */
  readonly causal?: boolean;
  /** Scores s become cap · tanh(s / cap). */
  readonly softCap?: number;
  /** A learned score per head that has no value (`attn_sinks`). */
  readonly sinks?: boolean;
  /** None: attention does not know the order of the tokens. */
  readonly rope?: RopeSpec;
  readonly qkNorm?: QkNorm;
  /** q grows with its position, behind rope. */
  readonly temperature?: TemperatureSpec;
  /** RMS norm of every head of v, without weights. */
  readonly vNorm?: { readonly eps: number };
  /** v is k as projected, before norm and rope; for heads of one size (`attn_v` is not there). */
  readonly keysAreValues?: boolean;
  readonly gate?: OutputGate;
  /** Number of an earlier block of the same shape and window whose keys and values are read: this one has no k and v. */
  readonly keysOf?: number;
  /** q, k and v are the rows of one matrix (`attn_qkv`), in this order. */
  readonly fused?: true;
  /** Which projections have a bias. */
  readonly biases: { readonly qkv: boolean; readonly output: boolean };
}

/** What attention gives is multiplied by act(gate · x) before the output projection, number by number or head by head. */
export interface OutputGate {
  readonly act: OpParams['gate']['act'];
  /**
   * Where its rows are. `query`: in `attn_q`, behind those of q head by head. Else in a matrix of its own (`attn_gate`):
   * `numbers`, one for each number of the heads, or `heads`, one for each head.
   */
  readonly in: 'query' | 'numbers' | 'heads';
}

/** Norm of q and k. */
export interface QkNorm {
  /** An RMS norm when not given; `layer`: a layer norm, without bias. */
  readonly kind?: 'layer';
  readonly eps: number;
  /** False: without weights. Default true (`attn_q_norm`, `attn_k_norm`). */
  readonly weighted?: boolean;
  /**
   * `head`: each head alone, by the same weights. `each-head`: each head alone, by weights of its own. `width`: all heads as
   * one vector (with weights).
   */
  readonly over: 'head' | 'each-head' | 'width';
  readonly at: 'before-rope' | 'after-rope';
}
