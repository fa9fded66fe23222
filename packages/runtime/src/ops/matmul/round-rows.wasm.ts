// Rounds the rows of x to 8 bits (@quern/blocks src/activations) before they meet quantized weights. Items are rows.
import { roundActivations } from '@quern/blocks/src/activations/row.wasm';

/** args: x, C, blockSize, bytes of a rounded row, rounded */
export function roundRows(args: usize, begin: usize, end: usize, scratch: usize): void {
  const x: usize = load<u32>(args), cols: usize = load<u32>(args, 4), blockSize: usize = load<u32>(args, 8);
  const rowBytes: usize = load<u32>(args, 12), rounded: usize = load<u32>(args, 16);
  for (let row = begin; row < end; row++)
    roundActivations(x + row * cols * 4, rounded + row * rowBytes, cols, blockSize);
}
