// Rows of q and k in the order that rope wants. Per head of d rows, row 2j + s of the one order is row s·d/2 + j of the
// other (j < d/2, s < 2): transformers keeps the two halves of every rotated pair d/2 rows apart, ggml's `norm` rope wants
// them next to each other (LlamaModel.permute of llama.cpp's conversion/llama.py).
import type { Change, Place } from './change.ts';
import { type Order, orderedRows } from './ordered.ts';

/** Which heads: those of queries, or those of keys. */
export type Heads = 'heads' | 'kvHeads';

const fromHalves = (rows: number, heads: number): Order => {
  const headRows = rows / heads;
  const half = headRows / 2;
  return {
    stored: (row) => {
      const within = row % headRows;
      return row - within + (within % 2) * half + Math.floor(within / 2);
    },
    gguf: (row) => {
      const within = row % headRows;
      return row - within + 2 * (within % half) + Math.floor(within / half);
    },
  };
};

/** Halves in the checkpoint, pairs in GGUF: architectures whose rope style is `norm`. */
export const halvesToPairs = (heads: Heads): Change =>
  orderedRows(`${heads} from halves to pairs`, (rows, { sizes }: Place) => fromHalves(rows, sizes[heads]!));

/** Pairs in the checkpoint, halves in GGUF. */
export const pairsToHalves = (heads: Heads): Change =>
  orderedRows(`${heads} from pairs to halves`, (rows, { sizes }: Place) => {
    const { stored, gguf } = fromHalves(rows, sizes[heads]!);
    return { stored: gguf, gguf: stored };
  });
