// q, k and v of one head after the other in the checkpoint [heads, 3, size], all q then all k then all v in GGUF: GPT-NeoX
// (llama.cpp conversion/gptneox.py).
import type { Place } from './change.ts';
import { type OrderOf, orderedRows } from './ordered.ts';

const order: OrderOf = (count, { sizes }: Place) => {
  const [heads, size] = [sizes.heads!, count / sizes.heads! / 3];
  return {
    stored: (row) => {
      const [part, head, within] = [Math.floor(row / size / heads), Math.floor(row / size) % heads, row % size];
      return (head * 3 + part) * size + within;
    },
    gguf: (row) => {
      const [head, part, within] = [Math.floor(row / size / 3), Math.floor(row / size) % 3, row % size];
      return (part * heads + head) * size + within;
    },
  };
};

export const interleavedQkv = orderedRows('q, k and v of every head taken apart', order);
