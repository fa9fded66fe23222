// A LoRA adapter in terms of GGUF, whatever it is on disk: for weights of a model a pair of matrices whose product is added,
//   W' = W + scale · factor · B · A        W [out, in], A [rank, in], B [out, rank]
// Stacks of experts have stacks of pairs. Of the embedding, whose rows are looked up, A is stored by tokens: W' = W + … A · Bᵀ
// with A [vocab, rank], B [width, rank], as llama.cpp has it.
import type { TensorView } from '@quern/checkpoint';

export interface LoraPair {
  /** GGUF name of the weight. */
  readonly weight: string;
  readonly a: TensorView;
  readonly b: TensorView;
  readonly rank: number;
  /** alpha / rank, or what the adapter has in its place. */
  readonly factor: number;
}

export interface LoraAdapter {
  readonly path: string;
  /** By GGUF name of the weight. */
  readonly pairs: ReadonlyMap<string, LoraPair>;
  close(): Promise<void>;
}

/** An adapter, and how strongly it is applied where nobody says otherwise. */
export interface ScaledAdapter {
  readonly adapter: LoraAdapter;
  readonly scale: number;
}

/** The weight that is looked up by rows. */
export const embeddingName = 'token_embd.weight';
