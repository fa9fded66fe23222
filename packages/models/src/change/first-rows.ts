// Embeddings with more rows than the tokenizer has tokens (padded for the sake of some hardware): GGUF has the first ones.
// What was cut cannot come back: a checkpoint made of GGUF has as many rows as GGUF.
import type { Dimension } from '../arch/dimensions.ts';
import type { Change } from './change.ts';
import { sliceOf } from './joined.ts';

/** `stored`: number of rows in the checkpoint. */
export const firstRows = (stored: Dimension): Change => ({
  does: 'rows without a token cut',
  moves: 'rows',
  ofProduct: 'left',
  storedShape: ([, ...rest], { sizes }) => [sizes[stored]!, ...rest],
  toGguf: (tensor, _place, shape) => sliceOf(tensor, tensor.name, 0, shape),
  toCheckpoint: (tensor) => tensor,
  ggufRow: (row) => row,
});
