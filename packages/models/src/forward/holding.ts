// What of a network a device holds.
import type { PlacedPair } from './adapters/adapter-buffers.ts';

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
  /** What adapters add to its weights; none when not given. */
  readonly pairs?: readonly PlacedPair[];
}
