// Rows of q and k in the order GGUF's llama architecture wants them. Per head of d rows, row 2j + s of the view is row
// s·d/2 + j of the file (j < d/2, s < 2): transformers keeps the two halves of every rotated pair d/2 rows apart, ggml's
// `norm` rope wants them next to each other (LlamaModel.permute of llama.cpp's conversion/llama.py).
import { checkRowRange, type TensorView } from '@quern/checkpoint';

/** Same bytes, rows reordered within each of `heads` heads. A vector (a bias) is reordered by element. */
export function permutedTensor(tensor: TensorView, heads: number): TensorView {
  return tensor.shape.length === 1 ? permutedVector(tensor, heads) : permutedMatrix(tensor, heads);
}

function permutedMatrix(tensor: TensorView, heads: number): TensorView {
  const headRows = tensor.rows / heads;
  const half = headRows / 2;
  const { rowBytes } = tensor;
  return {
    ...tensor,
    async readRows(firstRow, rowCount, into) {
      checkRowRange(tensor, firstRow, rowCount, into);
      const end = firstRow + rowCount;
      // Head by head, the wanted even rows and the wanted odd rows are each one run of the file.
      const run = new Uint8Array(Math.min(half, rowCount) * rowBytes);
      for (let head = Math.floor(firstRow / headRows); head * headRows < end; head++) {
        const from = Math.max(firstRow - head * headRows, 0);
        const to = Math.min(end - head * headRows, headRows);
        for (const s of [0, 1]) {
          const firstPair = Math.ceil((from - s) / 2);
          const pairs = Math.ceil((to - s) / 2) - firstPair;
          if (pairs <= 0) continue;
          const bytes = run.subarray(0, pairs * rowBytes);
          await tensor.readRows(head * headRows + s * half + firstPair, pairs, bytes);
          for (let pair = 0; pair < pairs; pair++) {
            const row = head * headRows + 2 * (firstPair + pair) + s - firstRow;
            into.set(bytes.subarray(pair * rowBytes, (pair + 1) * rowBytes), row * rowBytes);
          }
        }
      }
    },
  };
}

function permutedVector(tensor: TensorView, heads: number): TensorView {
  const size = tensor.dtype.typeSize;
  const headCols = tensor.cols / heads;
  return {
    ...tensor,
    async readRows(firstRow, rowCount, into) {
      checkRowRange(tensor, firstRow, rowCount, into);
      const stored = new Uint8Array(into.length);
      await tensor.readRows(firstRow, rowCount, stored);
      for (let i = 0; i < tensor.cols * rowCount; i++) {
        const within = i % headCols;
        const from = i - within + (within % 2) * (headCols / 2) + (within >> 1);
        into.set(stored.subarray(from * size, (from + 1) * size), i * size);
      }
    },
  };
}
