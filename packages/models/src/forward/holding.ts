// What of a network a device holds.
export interface Holding {
  /** Blocks `firstBlock` … `endBlock - 1`. */
  readonly firstBlock: number;
  readonly endBlock: number;
  /** It embeds the tokens. */
  readonly embedding: boolean;
  /** It computes logits. */
  readonly output: boolean;
  /** Its blocks are the draft blocks. */
  readonly draft?: true;
}
